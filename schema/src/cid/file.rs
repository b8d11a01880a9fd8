//! Files, named while their bytes pass.

use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};

use super::id::{Block, Cid, Codec};
use super::layout::{CHUNK, Tree};

/// A file's name in IPFS and its weight there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// The root of its blocks; of up to 1 MiB the one raw block itself.
    pub cid: Cid,
    /// Bytes of content.
    pub size: u64,
    /// Bytes of all its blocks, equal ones counted each time: `Tsize` of a link to it.
    pub dag_size: u64,
}

/// Names a file and keeps nothing of it: memory is some 100 KB however long the file is.
///
/// It does not matter into which pieces the bytes are cut.
#[derive(Default)]
pub struct FileDag {
    tree: Tree,
    chunk: Sha256,
    filled: usize,
}

impl FileDag {
    /// A file without bytes so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.filled == CHUNK {
                self.close();
            }
            let (now, later) = bytes.split_at(bytes.len().min(self.room()));
            self.chunk.update(now);
            self.filled += now.len();
            bytes = later;
        }
    }

    /// Bytes taken so far.
    pub fn size(&self) -> u64 {
        self.tree.content() + self.filled as u64
    }

    /// The file as a whole.
    pub fn finish(mut self) -> File {
        if self.filled > 0 {
            self.close();
        }
        self.tree.finish(&mut |_| {})
    }

    /// Bytes that still fit into the open chunk. A full one is closed by the byte after it.
    pub(super) const fn room(&self) -> usize {
        CHUNK - self.filled
    }

    /// The sha-256 of the open chunk so far.
    pub(super) const fn open_chunk(&self) -> &Sha256 {
        &self.chunk
    }

    fn close(&mut self) {
        let cid = Cid::new(Codec::Raw, self.chunk.finalize_reset().into());
        self.tree.leaf(cid, self.filled as u64, &mut |_| {});
        self.filled = 0;
    }
}

/// Names a file and hands out its blocks as they become known, each node after what it links to.
/// It holds at most one chunk of the file.
#[derive(Default)]
pub struct FileBlocks {
    tree: Tree,
    chunk: BytesMut,
}

impl FileBlocks {
    /// A file without bytes so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes; gives `sink` the blocks that they complete.
    pub fn push(&mut self, mut bytes: &[u8], mut sink: impl FnMut(Block)) {
        while !bytes.is_empty() {
            if self.chunk.is_empty() && bytes.len() >= CHUNK {
                let (whole, later) = bytes.split_at(CHUNK);
                self.close(Bytes::copy_from_slice(whole), &mut sink);
                bytes = later;
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            if self.chunk.len() == CHUNK {
                let whole = self.chunk.split().freeze();
                self.close(whole, &mut sink);
            }
            bytes = later;
        }
    }

    /// The file as a whole; gives `sink` the blocks that are left, the root last.
    pub fn finish(mut self, mut sink: impl FnMut(Block)) -> File {
        if !self.chunk.is_empty() {
            let rest = self.chunk.split().freeze();
            self.close(rest, &mut sink);
        }
        self.tree.finish(&mut sink)
    }

    fn close(&mut self, chunk: Bytes, sink: &mut dyn FnMut(Block)) {
        let block = Block::new(Codec::Raw, chunk);
        let (cid, size) = (block.cid(), block.bytes().len() as u64);
        sink(block);
        self.tree.leaf(cid, size, sink);
    }
}
