//! Blocks and their links, as far as the node must understand them.
use bytes::Bytes;
use ipld_core::cid::Cid;
use ipld_core::cid::multihash::Multihash;
use ipld_core::ipld::Ipld;
use rust_ipfs::Block;
use sha2::{Digest as _, Sha256};

/// Multicodec of a block that is file content alone.
pub(super) const RAW: u64 = 0x55;
/// Multicodec of files of several blocks and of folders.
pub(super) const DAG_PB: u64 = 0x70;
/// Multihash code of SHA-256, and its length in bytes.
const SHA2_256: u64 = 0x12;

/// The block does not hold what its codec promises.
#[derive(Debug, thiserror::Error)]
#[error("malformed dag-pb block")]
pub(super) struct Malformed;

/// Hashes a block and names it by its CID (version 1, SHA-256).
pub(super) fn block(codec: u64, data: Bytes) -> Result<Block, Malformed> {
    let hash = Multihash::wrap(SHA2_256, &Sha256::digest(&data)).map_err(|_| Malformed)?;
    let block = Block::new_unchecked(Cid::new_v1(codec, hash), data);
    links(&block)?;
    Ok(block)
}

/// What a block links to. The node's own walk panics on links that this refuses.
pub(super) fn links(block: &Block) -> Result<Vec<Cid>, Malformed> {
    match block.cid().codec() {
        RAW => Ok(Vec::new()),
        DAG_PB => {
            let Ok(Ipld::Map(mut node)) = block.to_ipld() else { return Err(Malformed) };
            let Some(Ipld::List(links)) = node.remove("Links") else { return Err(Malformed) };
            links.into_iter().map(target).collect()
        }
        _ => Err(Malformed),
    }
}

fn target(link: Ipld) -> Result<Cid, Malformed> {
    let Ipld::Map(mut link) = link else { return Err(Malformed) };
    match (link.remove("Hash"), link.remove("Name")) {
        (Some(Ipld::Link(cid)), Some(Ipld::String(name))) if name != "/" => Ok(cid),
        _ => Err(Malformed),
    }
}
