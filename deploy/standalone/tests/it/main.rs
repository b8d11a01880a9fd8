//! Integration tests of the standalone crate, one binary.
#![expect(missing_docs, reason = "a test binary has no readers of its interface")]

mod client;
