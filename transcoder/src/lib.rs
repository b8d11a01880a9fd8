//! The worker: claims tasks, runs ffmpeg confined, stores what comes out and pins it.
//!
//! `worker` decides what runs and for how long; `tasks` does the work, one file a kind; `original`,
//! `media` and `published` are what several of them need; `confine` runs the programs.

pub mod confine;
mod error;
mod media;
mod original;
mod published;
mod tasks;
mod work;
mod worker;

pub use error::{Cause, TaskError};
pub use work::{Collaborators, RunError};
pub use worker::run;
