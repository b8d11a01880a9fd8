//! Reelpin.

pub mod confine;
