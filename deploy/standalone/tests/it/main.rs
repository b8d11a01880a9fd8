//! Integration tests of the standalone crate, one binary.

mod client;
