//! All integration tests of the crate, in one binary.

mod cid;
mod ipfs;
