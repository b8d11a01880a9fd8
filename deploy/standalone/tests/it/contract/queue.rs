//! What Reelpin expects of its queue, whatever stands behind it.
