//! Content ids: the names that IPFS gives to our files and folders, computed without IPFS.
//!
//! The ids are those of `ipfs add` under the import profile `unixfs-v1-2025` (IPIP-499): CIDv1,
//! sha2-256, raw leaves, chunks of 1 MiB, balanced trees of at most 1024 links, and folders that
//! become a HAMT of fanout 256 when their one block would be larger than 256 KiB.
//!
//! - [`FileDag`] names a file while its bytes pass and keeps none of them.
//! - [`Checksum`] does the same and also gives the sha-256 of the whole.
//! - [`FileBlocks`] also hands out the blocks, for whoever stores them in a node.
//! - [`Directory`] makes a folder of files that are already named.
//! - [`dag_size`] tells what a file of some size will weigh in IPFS, without its bytes.
//!
//! No IO here; who sends blocks to a node is [`crate::ipfs`].

mod checksum;
mod directory;
mod file;
mod hamt;
mod id;
mod layout;
mod murmur;
mod pb;

pub use self::checksum::{Checksum, Digest};
pub use self::directory::{Directory, DirectoryError};
pub use self::file::{File, FileBlocks, FileDag};
pub use self::hamt::places;
pub use self::id::{Block, Cid, CidError, Codec};
pub use self::layout::{CHUNK, MAX_LINKS, dag_size};
