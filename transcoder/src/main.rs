//! The worker as a process of its own, for a cluster: settings from the environment, until SIGTERM.

fn main() {}
