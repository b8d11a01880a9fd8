//! Tests of the worker, one binary.

mod confine;
