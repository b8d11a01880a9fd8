//! A folder too large for one block: a tree of nodes of up to 256 links.
//!
//! Each node takes 8 bits of the hash of a name, from the most significant on; an entry stands in
//! the first node where no other shares its place. So the tree does not depend on the order in
//! which entries came.

use super::directory::{DirectoryError, Link};
use super::id::{Block, Codec};
use super::murmur::murmur3;
use super::pb::{FANOUT, Node};

/// Bytes of a hash; each level takes one.
const DEPTH: usize = 8;

/// The root of a sharded folder; gives `sink` all its nodes, the root last.
pub(super) fn sharded(
    links: Vec<(String, Link)>,
    sink: &mut dyn FnMut(Block),
) -> Result<Link, DirectoryError> {
    let mut entries: Vec<Entry> =
        links.into_iter().map(|(name, link)| Entry { hash: places(&name), name, link }).collect();
    entries.sort_unstable_by(|a, b| (a.hash, &a.name).cmp(&(b.hash, &b.name)));
    shard(&entries, 0, sink)
}

struct Entry {
    hash: [u8; DEPTH],
    name: String,
    link: Link,
}

/// Where a name stands in a folder of many blocks: its place of 256 in the first block, and in each
/// further one on the way to it.
pub fn places(name: &str) -> [u8; DEPTH] {
    murmur3(name.as_bytes()).to_be_bytes()
}

/// The node over entries that share the first `depth` bytes of their hash.
fn shard(
    entries: &[Entry],
    depth: usize,
    sink: &mut dyn FnMut(Block),
) -> Result<Link, DirectoryError> {
    if depth == DEPTH {
        return Err(DirectoryError::SameHash { name: entries[0].name.clone() });
    }
    let mut node = Node::default();
    let mut below = 0;
    let mut bitfield = [0u8; FANOUT / 8];
    for group in entries.chunk_by(|a, b| a.hash[depth] == b.hash[depth]) {
        let place = usize::from(group[0].hash[depth]);
        let (name, link) = match group {
            [entry] => (format!("{place:02X}{}", entry.name), entry.link),
            several => (format!("{place:02X}"), shard(several, depth + 1, sink)?),
        };
        node.link(&name, &link.cid, link.dag_size);
        below += link.dag_size;
        bitfield[FANOUT / 8 - 1 - place / 8] |= 1 << (place % 8);
    }
    let used = bitfield.iter().position(|byte| *byte != 0).unwrap_or(bitfield.len());
    let block = Block::new(Codec::DagPb, node.into_shard(&bitfield[used..]).into());
    let link = Link { cid: block.cid(), dag_size: below + block.bytes().len() as u64 };
    sink(block);
    Ok(link)
}
