//! Why an original is not taken: theirs, final, and told in words.

use crate::limits;

/// An original that cannot become a video here. Trying again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No container that is known, or nothing to see or hear in it.
    #[error("the file is not a video or audio file that can be read")]
    NotAVideo,
    /// The picture (or, without a picture, the sound) is coded in a way that is not decoded here.
    #[error("the file's {track} is coded as {codec}, which is not supported")]
    UnsupportedCodec {
        /// `picture` or `sound`.
        track: &'static str,
        /// ffprobe's name of the codec.
        codec: String,
    },
    /// More pixels than [`limits::MAX_PIXELS`], or a side beyond [`limits::MAX_SIDE`].
    #[error("the picture has more than 8192 x 4320 pixels")]
    TooManyPixels {
        /// As stored, pixels.
        width: u64,
        /// As stored, pixels.
        height: u64,
    },
    /// More streams than [`limits::MAX_STREAMS`].
    #[error("the file holds {streams} streams; at most {max} are taken", max = limits::MAX_STREAMS)]
    TooManyStreams {
        /// How many there are.
        streams: usize,
    },
    /// Longer than [`limits::MAX_SECONDS`].
    #[error("the video lasts {seconds} s; at most 12 hours are taken")]
    TooLong {
        /// Whole seconds.
        seconds: u64,
    },
    /// More frames than [`limits::MAX_FRAMES`].
    #[error("the video has more than {max} frames", max = limits::MAX_FRAMES)]
    TooManyFrames,
    /// A picture track without a picture, or a sound track without a sound.
    #[error("the file announces a video but holds no frame that can be decoded")]
    NoFrames,
}

impl Refusal {
    /// Stable, for programs: the `code` of the problem and of the video's error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAVideo => "not_a_video",
            Self::UnsupportedCodec { .. } => "unsupported_codec",
            Self::TooManyPixels { .. } => "too_many_pixels",
            Self::TooManyStreams { .. } => "too_many_streams",
            Self::TooLong { .. } => "too_long",
            Self::TooManyFrames => "too_many_frames",
            Self::NoFrames => "no_frames",
        }
    }

    /// What the person can do about it, one sentence.
    pub const fn suggestion(&self) -> &'static str {
        match self {
            Self::NotAVideo => {
                "upload an MP4, MOV, MKV, WebM, AVI or MPEG-TS file, or a sound file"
            }
            Self::UnsupportedCodec { .. } => "export the video as H.264 with AAC sound",
            Self::TooManyPixels { .. } => "scale the video down to 4K and upload it again",
            Self::TooManyStreams { .. } => {
                "export the video with one picture and one sound track only"
            }
            Self::TooLong { .. } => "cut the video into parts of at most 12 hours",
            Self::TooManyFrames => "export the video with at most 60 frames a second",
            Self::NoFrames => {
                "check that the file plays to its end and was copied whole, then upload it again"
            }
        }
    }
}
