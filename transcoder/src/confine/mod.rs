//! Runs ffmpeg and ffprobe confined, because what they read comes from strangers.
//!
//! A child sees only the files it was given, writes only into its work folder, has no network but
//! one port when asked for, cannot start further programs, is bounded in time, memory and output,
//! and dies with whoever holds its [`Child`], and with the worker. What to run, and what a failure
//! means for a video, is the caller's.
//!
//! One thread ([`Launcher`]) spawns, drains, times and reaps every child:
//! `launcher` (handle) -> `supervisor` (the thread) -> `image` (prepared before the fork) ->
//! `exec` (between fork and exec), with `rules` (landlock) and `filter` (seccomp).

mod child;
mod error;
mod exec;
mod filter;
mod image;
mod job;
mod launcher;
mod rules;
mod slot;
mod streams;
mod supervisor;
mod toolbox;
mod work;

pub use child::{Child, Killer};
pub use error::{ConfineError, Limit, Report, Step};
pub use job::{Job, Limits, MAX_PIPES, Program};
pub use launcher::Launcher;
pub use toolbox::Toolbox;
pub use work::{WorkError, WorkFolder, WorkRoot};
