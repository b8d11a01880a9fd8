//! What is known of an original before anything is decided: typed, checked against the limits.
//!
//! [`Probe::parse`] reads what [`crate::argv::probe`] prints; the reading itself is in `read.rs`.

mod rate;
mod read;

use serde::{Deserialize, Serialize};

pub use rate::{nominal, standard};

use crate::{Rational, Refusal};

/// Facts about an original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// ffprobe's name of the container, as `mov,mp4,m4a,3gp,3g2,mj2`.
    pub container: String,
    /// Bytes, if ffprobe told them.
    pub size: Option<u64>,
    /// Length as the container states it, ticks; absent in live recordings and often wrong.
    pub duration: Option<u64>,
    /// Earliest time of any stream, ticks of the original's own clock; can be negative.
    pub start: i64,
    /// Bits per second of the whole file.
    pub bit_rate: Option<u64>,
    /// The picture that is used; cover art is not one.
    pub video: Option<Video>,
    /// The sound that is used.
    pub audio: Option<Audio>,
    /// Why there is no `audio` although the file has sound: a sentence for people.
    pub audio_left_out: Option<String>,
}

/// The picture track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Video {
    /// Index among all streams of the file.
    pub stream: u32,
    /// ffprobe's name.
    pub codec: String,
    /// As `High` or `Main 10`.
    pub profile: Option<String>,
    /// As `yuv420p`.
    pub pixel_format: String,
    /// Bits per sample: 8, 10, 12 or 16.
    pub bit_depth: u8,
    /// Width as decoded (cropped by the codec, before aspect and rotation), pixels.
    pub coded_width: u32,
    /// Height as decoded, pixels.
    pub coded_height: u32,
    /// Width as shown, after sample aspect ratio and rotation, pixels.
    pub width: u32,
    /// Height as shown, pixels.
    pub height: u32,
    /// Shape of a stored pixel.
    pub sar: Rational,
    /// Degrees clockwise by which the decoded picture is turned to be shown: 0..=359.
    pub rotation: u16,
    /// Frames per second, nominal: see [`nominal`].
    pub rate: Rational,
    /// Frames per second on average, as the container tells it.
    pub average_rate: Option<Rational>,
    /// Unit of the stream's times, seconds.
    pub time_base: Rational,
    /// First time of the stream, in its time base; can be negative.
    pub start_pts: i64,
    /// Length of the stream as stated, ticks.
    pub duration: Option<u64>,
    /// Bits per second of this stream.
    pub bit_rate: Option<u64>,
    /// Colour as tagged.
    pub color: Color,
    /// `progressive`, `tt`, `bb`, `tb`, `bt`, or absent.
    pub field_order: Option<String>,
    /// High dynamic range.
    pub hdr: Hdr,
}

impl Video {
    /// Whether the fields must be woven into frames first.
    pub fn interlaced(&self) -> bool {
        matches!(self.field_order.as_deref(), Some("tt" | "bb" | "tb" | "bt"))
    }

    /// Whether packets, frames and times correspond one to one here, so that an [`crate::Index`]
    /// made of packets can be trusted: MP4 and Matroska families, except VP8, whose hidden
    /// frames are packets with times of their own.
    pub fn indexable(&self, container: &str) -> bool {
        let one_to_one = container.split(',').any(|name| matches!(name, "mov" | "matroska"));
        one_to_one && self.codec != "vp8"
    }
}

/// Colour tags in ffprobe's words; absent where the file says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Color {
    /// `tv` or `pc`.
    pub range: Option<String>,
    /// Matrix: `bt709`, `smpte170m`, `bt2020nc`...
    pub space: Option<String>,
    /// `bt709`, `bt2020`...
    pub primaries: Option<String>,
    /// `bt709`, `smpte2084`...
    pub transfer: Option<String>,
}

/// Kind of high dynamic range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hdr {
    /// Standard dynamic range.
    None,
    /// Perceptual quantiser, SMPTE ST 2084 (HDR10, Dolby Vision 8.1).
    Pq,
    /// Hybrid log-gamma, ARIB STD-B67 (phones, broadcast).
    Hlg,
}

/// The sound track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audio {
    /// Index among all streams of the file.
    pub stream: u32,
    /// ffprobe's name.
    pub codec: String,
    /// As `LC`.
    #[serde(default)]
    pub profile: Option<String>,
    /// At least 1.
    pub channels: u32,
    /// Hz, at least 1.
    pub sample_rate: u32,
    /// Unit of the stream's times, seconds.
    pub time_base: Rational,
    /// First time of the stream, in its time base; can be negative.
    pub start_pts: i64,
    /// Length of the stream as stated, ticks.
    pub duration: Option<u64>,
    /// As the file tells it (often ISO 639-2: `eng`); absent when unknown.
    pub language: Option<String>,
    /// Its frames, where a [`crate::container::SoundWalk`] found them; ffprobe does not tell.
    #[serde(default)]
    pub frames: Option<SoundFrames>,
}

/// The coded frames of a sound track, all of one length (the last can be shorter), as an MP4's tables tell them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundFrames {
    /// Units a second of the track's times, at least 1: of a sane track its samples a second.
    pub rate: u32,
    /// Units that a frame lasts, at least 1.
    pub length: u32,
    /// How many, at least 1.
    pub count: u64,
    /// When the first begins on the original's clock, units: below 0 where an edit list skips a decoder's delay.
    pub first: i64,
    /// From when on they are heard, units on the original's clock: an edit list hides those before.
    pub from: i64,
    /// From when on the edit list hides them, units on the original's clock; `None`: all are heard to the end.
    pub until: Option<i64>,
}

impl Probe {
    /// Reads the JSON that [`crate::argv::probe`] makes ffprobe print. Give it whatever a run
    /// printed that ended by itself, with any exit code; a run that was killed (memory, time) is
    /// ours and says nothing about the file.
    ///
    /// # Errors
    /// A [`Refusal`]: the file is not taken, for ever.
    pub fn parse(json: &str) -> Result<Self, Refusal> {
        read::probe(json)
    }

    /// Whether an index by [`crate::argv::packets`] is worth making; the stream's number.
    pub fn indexable(&self) -> Option<u32> {
        let video = self.video.as_ref()?;
        video.indexable(&self.container).then_some(video.stream)
    }
}
