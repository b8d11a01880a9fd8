//! Tests of the worker, one binary.

mod confine;
mod exact;
mod films;
mod mp4;
mod pins;
mod source;
mod studio;
