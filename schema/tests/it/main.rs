//! Tests of the schema crate through its public interface, on a real PostgreSQL.

mod broken;
mod bucket;
mod cid;
mod ipfs;
mod pinning;
mod position;
mod settings;
mod statements;
mod status;
mod stress;
mod task;
mod tls;
mod tx;
mod unpin;
mod video;
