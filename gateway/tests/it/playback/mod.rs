//! Playback.

mod hls;
mod mp4;
mod ranges;
