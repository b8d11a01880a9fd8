//! Tests of the crate through its public interface, with the real programs.
#[cfg(feature = "local")]
mod engines;
