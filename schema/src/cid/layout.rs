//! The balanced tree over a file's chunks, and what it weighs.

use bytes::Bytes;

use super::file::File;
use super::id::{Block, Cid, Codec};
use super::pb::{self, Node};

/// Bytes of a chunk; the last one of a file may have fewer. Profile `unixfs-v1-2025`.
pub const CHUNK: usize = 1 << 20;
/// Most links that a file's node may have. Profile `unixfs-v1-2025`.
pub const MAX_LINKS: usize = 1024;

/// A tree that grows leaf by leaf. It holds at most [`MAX_LINKS`] links for each level.
#[derive(Default)]
pub(super) struct Tree {
    /// Links that no node holds yet; the leaves' level first.
    levels: Vec<Vec<File>>,
    content: u64,
}

impl Tree {
    /// Content of the leaves so far, in bytes.
    pub(super) const fn content(&self) -> u64 {
        self.content
    }

    /// Adds the next chunk.
    pub(super) fn leaf(&mut self, cid: Cid, size: u64, sink: &mut dyn FnMut(Block)) {
        self.content += size;
        self.add(0, File { cid, size, dag_size: size }, sink);
    }

    /// Closes the tree; an empty file is one empty raw block.
    pub(super) fn finish(mut self, sink: &mut dyn FnMut(Block)) -> File {
        if self.levels.is_empty() {
            let empty = Block::new(Codec::Raw, Bytes::new());
            self.leaf(empty.cid(), 0, sink);
            sink(empty);
        }
        let mut level = 0;
        loop {
            let top = level + 1 == self.levels.len();
            if let ([only], true) = (self.levels[level].as_slice(), top) {
                return *only;
            }
            self.close(level, sink);
            level += 1;
        }
    }

    fn add(&mut self, level: usize, link: File, sink: &mut dyn FnMut(Block)) {
        match self.levels.get(level) {
            None => self.levels.push(Vec::new()),
            Some(links) if links.len() == MAX_LINKS => self.close(level, sink),
            Some(_) => {}
        }
        self.levels[level].push(link);
    }

    /// Puts the links of a level into a node of the level above.
    fn close(&mut self, level: usize, sink: &mut dyn FnMut(Block)) {
        let links = std::mem::take(&mut self.levels[level]);
        let mut node = Node::default();
        for link in &links {
            node.link("", &link.cid, link.dag_size);
        }
        let block =
            Block::new(Codec::DagPb, node.into_file(links.iter().map(|link| link.size)).into());
        let whole = File {
            cid: block.cid(),
            size: links.iter().map(|link| link.size).sum(),
            dag_size: block.bytes().len() as u64
                + links.iter().map(|link| link.dag_size).sum::<u64>(),
        };
        sink(block);
        self.add(level + 1, whole, sink);
    }
}

/// Bytes of all blocks of a file of `size` bytes, which depend on nothing else: what a folder's
/// link to it says. Known before the file's first byte.
///
/// Sizes near 2^64, which no file has, saturate.
pub fn dag_size(size: u64) -> u64 {
    // All links of a level are alike but its last one.
    let chunk = CHUNK as u64;
    let mut count = size.div_ceil(chunk).max(1);
    let mut full = Weight { content: chunk, dag: chunk };
    let rest = size.saturating_sub((count - 1).saturating_mul(chunk));
    let mut last = Weight { content: rest, dag: rest };
    while count > 1 {
        let max = MAX_LINKS as u64;
        let above = count.div_ceil(max);
        last = node(full, count - (above - 1) * max - 1, last);
        full = node(full, max - 1, full);
        count = above;
    }
    last.dag
}

#[derive(Clone, Copy)]
struct Weight {
    content: u64,
    dag: u64,
}

/// A node over `count` links that are alike, and one more.
fn node(alike: Weight, count: u64, last: Weight) -> Weight {
    let content = alike.content.saturating_mul(count).saturating_add(last.content);
    let below = alike.dag.saturating_mul(count).saturating_add(last.dag);
    let alike_links = count as usize;
    let links = alike_links * pb::link_len(0, alike.dag) + pb::link_len(0, last.dag);
    let sizes = alike_links * pb::varint_len(alike.content) + pb::varint_len(last.content);
    let own = links + pb::file_data_len(content, alike_links + 1, sizes);
    Weight { content, dag: below.saturating_add(own as u64) }
}
