//! What ffmpeg delivered is not what was planned.

/// Ours: try again, elsewhere first, then plan again without an index; see [`Mismatch::is_theirs`] for the
/// exception.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// A fragment counts time in other units than asked for.
    #[error("the track counts {got} units a second, not {want}")]
    Timescale {
        /// As planned.
        want: u32,
        /// As delivered.
        got: u32,
    },
    /// A GOP begins with another frame than planned.
    #[error("GOP {gop} begins at {got} ticks, not at {want}")]
    Start {
        /// Number in the video.
        gop: u32,
        /// As planned.
        want: u64,
        /// As delivered.
        got: i64,
    },
    /// A GOP has more or fewer frames than planned.
    #[error("GOP {gop} has {got} frames, not {want}")]
    Frames {
        /// Number in the video.
        gop: u32,
        /// As planned.
        want: u32,
        /// As delivered.
        got: u32,
    },
    /// A GOP does not begin with a key frame.
    #[error("GOP {gop} does not begin with a key frame")]
    NotSync {
        /// Number in the video.
        gop: u32,
    },
    /// More GOPs than planned.
    #[error("the encoder delivers more than the planned {want} GOPs")]
    TooMany {
        /// As planned.
        want: u32,
    },
    /// The encoder ended early: the original is cut off, or cannot be decoded to its end.
    #[error("the encoder delivered {got} of {want} GOPs")]
    TooFew {
        /// As planned.
        want: u32,
        /// As delivered.
        got: u32,
    },
    /// Sound is missing between two frames, or at the beginning.
    #[error("the sound goes on at {got} where it ended at {want}, in samples")]
    Hole {
        /// Where the last fragment ended.
        want: u64,
        /// Where the next begins.
        got: u64,
    },
    /// The sound breaks off.
    #[error("the sound ends at {got} ticks, not after {want}")]
    Short {
        /// The earliest that was planned.
        want: u64,
        /// As delivered.
        got: u64,
    },
    /// A frame of the sound is larger than one of AAC can be.
    #[error("a frame of the sound has {size} bytes")]
    Frame {
        /// As delivered.
        size: u32,
    },
    /// A sample lies outside of its fragment.
    #[error("a fragment's sample table points outside of it")]
    Table,
    /// Not one frame came.
    #[error("the encoder delivered nothing")]
    Nothing,
}

impl Mismatch {
    /// Whether it is the original's fault when the encoder ended by itself with exit 0: then it is
    /// [`crate::Refusal::NoFrames`].
    pub const fn is_theirs(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}
