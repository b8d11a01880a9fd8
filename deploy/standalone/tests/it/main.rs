//! The integration tests of `reelpin-standalone`, in one binary.
mod client;
#[cfg(feature = "local")]
mod contract;
#[cfg(feature = "local")]
mod engines;
