//! Reelpin on one machine: the local engines, the launcher, and a client of the public HTTP API.

pub mod client;
