//! Every step of the engine under a seeded scheduler: one effect at a time, with kills, pauses and
//! faults between any two, and what must hold after each.
//!
//! | module | owns |
//! |---|---|
//! | `gate` | where every effect waits for its turn |
//! | `turns`, `chance` | database, time and random bytes of one actor |
//! | `model` | bucket, IPFS node, queue and encoder that fail in every way real ones do |
//! | `actor` | the processes, wired as the real ones are, and the clients |
//! | `world` | what an operation does |
//! | `script` | operations as they are recorded, kept and replayed |
//! | `generate` | which operation is next, by the seed |
//! | `settle` | the way to rest after the faults |
//! | `invariant` | what must hold |
//! | `run`, `shrink`, `total` | one seed; the least that still fails; many in numbers |

pub mod actor;
pub mod chance;
pub mod gate;
pub mod generate;
pub mod invariant;
pub mod model;
pub mod run;
pub mod script;
pub mod settle;
pub mod shrink;
pub mod stage;
pub mod total;
pub mod turns;
pub mod world;
