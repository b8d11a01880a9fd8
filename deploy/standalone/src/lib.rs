//! Reelpin on one machine: the local engines, the launcher that runs gateway and worker beside
//! them, and a client of the public HTTP API.

pub mod client;
#[cfg(feature = "local")]
pub mod engines;
#[cfg(feature = "local")]
pub mod launch;
