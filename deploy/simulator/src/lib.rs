//! Every step of the engine under a seeded scheduler: one effect at a time, with kills, pauses and
//! faults between any two, and what must hold after each.

pub mod gate;
pub mod model;
