//! The two protobuf messages that our blocks consist of, written by hand.
//!
//! A dag-pb node is `{ repeated Link links = 2; bytes data = 1 }`, links first, each link
//! `{ bytes hash = 1; string name = 2; uint64 tsize = 3 }`, all three always present. Its data is
//! a UnixFS message. Every length function tells what the matching writer writes: trees are weighed
//! without being built.

use super::id::Cid;

/// UnixFS `Data.Type` of a folder.
const DIRECTORY: u64 = 1;
/// UnixFS `Data.Type` of a file.
const FILE: u64 = 2;
/// UnixFS `Data.Type` of one node of a sharded folder.
const HAMT_SHARD: u64 = 5;
/// murmur3-x64-64 in the table of multicodecs.
const MURMUR3: u64 = 0x22;
/// Children that one node of a sharded folder may have.
pub(super) const FANOUT: usize = 256;

/// A dag-pb node under construction. Links must come in the order in which they shall stand.
#[derive(Default)]
pub(super) struct Node {
    bytes: Vec<u8>,
}

impl Node {
    /// Adds a link; `tsize` is the sum of all blocks below it, in bytes.
    pub(super) fn link(&mut self, name: &str, cid: &Cid, tsize: u64) {
        self.bytes.reserve(link_len(name.len(), tsize));
        tag(&mut self.bytes, 2, LEN);
        varint(&mut self.bytes, link_body_len(name.len(), tsize) as u64);
        bytes(&mut self.bytes, 1, &cid.to_bytes());
        bytes(&mut self.bytes, 2, name.as_bytes());
        uint(&mut self.bytes, 3, tsize);
    }

    /// The node of a file with several chunks; `sizes` are the content bytes below each link.
    pub(super) fn into_file(self, sizes: impl Iterator<Item = u64> + Clone) -> Vec<u8> {
        let mut data = Vec::new();
        uint(&mut data, 1, FILE);
        uint(&mut data, 3, sizes.clone().sum());
        sizes.for_each(|size| uint(&mut data, 4, size));
        self.into_node(&data)
    }

    /// The node of a folder that fits into one block.
    pub(super) fn into_directory(self) -> Vec<u8> {
        let mut data = Vec::new();
        uint(&mut data, 1, DIRECTORY);
        self.into_node(&data)
    }

    /// One node of a sharded folder; `bitfield` has a bit for each of its children, most
    /// significant byte first, without leading zeros.
    pub(super) fn into_shard(self, bitfield: &[u8]) -> Vec<u8> {
        let mut data = Vec::new();
        uint(&mut data, 1, HAMT_SHARD);
        bytes(&mut data, 2, bitfield);
        uint(&mut data, 5, MURMUR3);
        uint(&mut data, 6, FANOUT as u64);
        self.into_node(&data)
    }

    fn into_node(mut self, data: &[u8]) -> Vec<u8> {
        bytes(&mut self.bytes, 1, data);
        self.bytes
    }
}

/// Bytes that a link adds to its node.
pub(super) fn link_len(name: usize, tsize: u64) -> usize {
    let body = link_body_len(name, tsize);
    1 + varint_len(body as u64) + body
}

/// Bytes of a file's node around its links: `sizes` is the length of all its block sizes as
/// varints, `count` how many there are, `content` their sum.
pub(super) fn file_data_len(content: u64, count: usize, sizes: usize) -> usize {
    let data = 1 + varint_len(FILE) + 1 + varint_len(content) + count + sizes;
    1 + varint_len(data as u64) + data
}

/// Bytes of a number as varint.
pub(super) fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

fn link_body_len(name: usize, tsize: u64) -> usize {
    let cid = 1 + 1 + 36;
    cid + 1 + varint_len(name as u64) + name + 1 + varint_len(tsize)
}

/// Wire type of a number.
const VARINT: u8 = 0;
/// Wire type of bytes, text and messages.
const LEN: u8 = 2;

fn tag(out: &mut Vec<u8>, field: u8, wire: u8) {
    out.push(field << 3 | wire);
}

fn uint(out: &mut Vec<u8>, field: u8, value: u64) {
    tag(out, field, VARINT);
    varint(out, value);
}

fn bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    tag(out, field, LEN);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
