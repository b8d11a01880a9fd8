//! Reelpin.

pub mod cid;
pub mod ipfs;
