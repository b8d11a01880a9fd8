//! Reelpin on one machine: the local engines, beside which the launcher runs gateway and worker.
#[cfg(feature = "local")]
pub mod engines;
