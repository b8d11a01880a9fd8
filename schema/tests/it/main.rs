//! Tests of the schema crate through its public interface, on a real PostgreSQL.

mod cid;
mod ipfs;
mod pinning;
mod position;
mod settings;
mod status;
mod stress;
mod task;
mod tx;
mod unpin;
mod video;
