//! Reelpin.
