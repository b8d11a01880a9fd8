//! The worker: claims tasks, runs ffmpeg confined, stores what comes out and pins it.
//!
//! `steps` is what a worker does, `worker` when it does it in a process; `tasks` does the work, one
//! file a kind; `encoder` owns the media programs and the local disk, `confine` runs them;
//! `published` is the folder that packaging and pinning share.

pub mod confine;
pub mod encoder;
mod error;
mod published;
mod shunned;
pub mod steps;
mod tasks;
mod work;
mod worker;

pub use error::{Cause, TaskError};
pub use work::{Collaborators, RunError};
pub use worker::run;
