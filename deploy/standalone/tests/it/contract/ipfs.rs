//! What Reelpin expects of its ipfs, whatever stands behind it.
