//! Tests of the worker, one binary.

mod confine;
mod exact;
mod films;
mod source;
mod studio;
