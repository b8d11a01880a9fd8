//! What Reelpin's processes agree on: tables and their statements, events, object keys, content
//! ids, settings, and the clients of the four engines.

pub mod ambient;
pub mod bucket;
pub mod cid;
pub mod db;
pub mod event;
pub mod failure;
pub mod file;
pub mod finding;
pub mod ipfs;
pub mod keys;
pub mod lease;
pub mod pin;
pub mod pinning;
#[cfg(feature = "planted")]
pub mod planted;
pub mod queue;
pub mod secret;
pub mod segment;
pub mod settings;
pub mod task;
pub mod tls;
pub mod transcode;
pub mod unpin;
pub mod video;
