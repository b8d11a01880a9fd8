//! The plan against the real ffmpeg: clips are made, probed, planned, encoded, cut and compared frame by frame.
//!
//! Real clips are read where `REELPIN_TEST_MEDIA` names their folder; without it `real` says what did not run.

mod abridge;
mod cues;
mod films;
mod golden;
mod hostile;
mod kept;
mod make;
mod real;
mod run;
mod sync;
mod tidy;
mod walk;
