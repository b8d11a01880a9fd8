//! Reelpin on one machine.
fn main() {}
