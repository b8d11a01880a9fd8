//! Tests of the worker, one binary.

mod confine;
mod films;
mod source;
mod studio;
