//! Blocks as an archive (CARv1): a header that names the root, then each block with its name, in the
//! order in which a walk meets them.
use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _, stream};
use ipld_core::cid::Cid;
use rust_ipfs::Block;
use rust_unixfs::dir::{NodeDescription, describe};
use rust_unixfs::file::visit::{FileVisit, IdleFileVisit};

use super::dag;
use super::file::FileError;
use super::node::Node;
use super::tree::Marks;

/// Which blocks of what a CID stands for.
pub(super) enum Part {
    /// Its own.
    Block,
    /// Its own, and of a folder of several blocks the others.
    Folder,
    /// Those that hold these bytes of a file, and those that lead there.
    Bytes(Range<u64>),
    /// Everything below it.
    All,
}

/// The archive of the blocks `on_the_way` and of the part of what is below `root`, piece by piece,
/// depth first. Without `dups` a block comes once; 16 bytes are kept for each then.
pub(super) fn stream(
    node: Node,
    on_the_way: Vec<Cid>,
    root: Cid,
    part: Part,
    dups: bool,
) -> impl Stream<Item = Result<Bytes, FileError>> + Send + 'static {
    let seen = if dups { None } else { Some(Marks::default()) };
    let walk = Walk { node, way: on_the_way.into(), open: vec![root], seen, part, visit: None };
    let blocks = stream::try_unfold(walk, async |mut walk| {
        Ok::<_, FileError>(walk.next().await?.map(|block| (block, walk)))
    });
    let sections = blocks.map_ok(|block| stream::iter(section(block).map(Ok))).try_flatten();
    futures_util::StreamExt::chain(stream::iter([Ok(header(&root))]), sections)
}

/// The header: DAG-CBOR of `{roots: [root], version: 1}`, after its length.
pub(super) fn header(root: &Cid) -> Bytes {
    let cid = root.to_bytes();
    let mut cbor = b"\xa2\x65roots\x81\xd8\x2a".to_vec();
    // A CID is a byte string of a leading zero and the CID.
    match u8::try_from(cid.len() + 1) {
        Ok(short @ ..24) => cbor.push(0x40 | short),
        Ok(length) => cbor.extend([0x58, length]),
        // CIDs of ours have 36 bytes, and no hash over 64 is read.
        Err(_) => return Bytes::new(),
    }
    cbor.push(0);
    cbor.extend(cid);
    cbor.extend(b"\x67version\x01");
    let mut out = varint(cbor.len());
    out.extend(cbor);
    out.into()
}

fn section(block: Block) -> [Bytes; 2] {
    let (cid, data) = block.into_inner();
    let cid = cid.to_bytes();
    let mut front = varint(cid.len() + data.len());
    front.extend(cid);
    [front.into(), data]
}

/// LEB128.
fn varint(mut value: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(4);
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

/// What a block leads to.
struct Below {
    next: Vec<Cid>,
    /// Whether the block itself belongs into the archive.
    needed: bool,
}

impl Below {
    fn of(next: Vec<Cid>) -> Self {
        Self { next, needed: true }
    }
}

struct Walk {
    node: Node,
    way: VecDeque<Cid>,
    /// What is left, the next one last.
    open: Vec<Cid>,
    seen: Option<Marks>,
    part: Part,
    visit: Option<FileVisit>,
}

impl Walk {
    /// The next block that is due.
    async fn next(&mut self) -> Result<Option<Block>, FileError> {
        loop {
            if let Some(cid) = self.way.pop_front() {
                if self.is_new(&cid) {
                    return Ok(Some(self.node.block(&cid).await?));
                }
                continue;
            }
            let Some(cid) = self.open.pop() else { return Ok(None) };
            let ranged = matches!(self.part, Part::Bytes(_));
            if !ranged && !self.is_new(&cid) {
                // All below it has come too.
                continue;
            }
            let block = self.node.block(&cid).await?;
            let Below { next, needed } = self.below(&block)?;
            self.open.extend(next.into_iter().rev());
            if !ranged || (needed && self.is_new(&cid)) {
                return Ok(Some(block));
            }
        }
    }

    fn is_new(&mut self, cid: &Cid) -> bool {
        self.seen.as_mut().is_none_or(|seen| seen.insert(cid))
    }

    fn below(&mut self, block: &Block) -> Result<Below, FileError> {
        let cid = *block.cid();
        let unreadable = || FileError::Unreadable(cid);
        match &self.part {
            Part::Block => Ok(Below::of(Vec::new())),
            Part::All => dag::links(block).map(Below::of).map_err(|_| unreadable()),
            Part::Folder => match describe(block.data()) {
                // Names of two digits are blocks of the same folder.
                NodeDescription::HamtShard { links } => {
                    let shards = links.into_iter().filter(|link| link.name.len() == 2);
                    Ok(Below::of(shards.map(|link| link.target).collect()))
                }
                _ => Ok(Below::of(Vec::new())),
            },
            Part::Bytes(range) => {
                let mut needed = true;
                self.visit = match self.visit.take() {
                    Some(visit) => {
                        let (bytes, visit) = visit
                            .continue_walk(block.data(), &mut None)
                            .map_err(|_| unreadable())?;
                        // The reader also looks at the leaf that ends where the range begins.
                        needed = cid.codec() != dag::RAW || !bytes.is_empty();
                        visit
                    }
                    None if cid.codec() == dag::RAW => None,
                    None => {
                        let idle = IdleFileVisit::default().with_target_range(range.clone());
                        idle.start(block.data()).map_err(|_| unreadable())?.3
                    }
                };
                let next = self.visit.iter().map(|visit| *visit.pending_links().0).collect();
                Ok(Below { next, needed })
            }
        }
    }
}
