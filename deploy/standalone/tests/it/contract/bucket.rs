//! What Reelpin expects of its bucket, whatever stands behind it.
