//! Everything that is decided about a video, and nothing that is done: no IO, no clock, no runtime.
//!
//! | module | owns |
//! |---|---|
//! | [`probe`] | ffprobe's answer as typed facts, and what is refused |
//! | [`index`] | the times of all frames of the picture track |
//! | [`mod@cues`] | where decoding can begin, where not all frames are known |
//! | [`container`] | both from the tables of MP4, MOV and Matroska files, by ranges |
//! | [`ladder`], [`rates`] | which rungs a video gets, and their upper bit rates |
//! | [`copy`] | whether the top rung can be the original's own picture, and the sound its own sound |
//! | [`grid`] | where GOPs and segments are cut |
//! | [`stretch`], [`mod@run`] | what one task and one ffmpeg encode |
//! | [`plan`] | all of the above as one stored value |
//! | [`argv`] | the command lines of ffmpeg and ffprobe |
//! | [`fmp4`] | reading and writing the boxes of fragmented MP4 |
//! | [`segmenter`], [`packer`] | fragments of video and audio into segments |
//! | [`mp4`] | progressive MP4s of stored segments, index first |
//! | [`playlist`] | HLS playlists |
//!
//! Times are *ticks* of 1/90000 s from the first frame of the video (or the first sample where
//! there is no picture); the original's own time bases appear only where ffmpeg wants them.

pub mod argv;
pub mod codecs;
pub mod container;
pub mod copy;
pub mod cues;
pub mod fmp4;
pub mod grid;
pub mod index;
pub mod ladder;
pub mod limits;
pub mod mismatch;
pub mod mp4;
pub mod packer;
pub mod picture;
pub mod plan;
pub mod playlist;
pub mod probe;
pub mod rates;
pub mod rational;
pub mod refusal;
pub mod run;
pub mod segmenter;
pub mod stretch;

pub use argv::Argv;
pub use container::Walk;
pub use cues::Cues;
pub use grid::Grid;
pub use index::Index;
pub use mismatch::Mismatch;
pub use packer::Packer;
pub use plan::{Options, Plan};
pub use probe::Probe;
pub use rational::Rational;
pub use refusal::Refusal;
pub use run::Run;
pub use segmenter::{Segment, Segmenter};
pub use stretch::Stretch;

/// Ticks per second of every time in a plan: the clock of MPEG systems, in which all usual frame
/// rates have whole (or, at 23.976, nearly whole) frame lengths.
pub const TICKS: u64 = 90_000;

/// Properties are tried with the same cases in every run.
#[cfg(test)]
fn same_cases(cases: u32) -> proptest::prelude::ProptestConfig {
    proptest::prelude::ProptestConfig {
        cases,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..Default::default()
    }
}
