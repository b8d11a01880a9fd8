//! Tests of the walk as a whole.
