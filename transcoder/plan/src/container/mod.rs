//! The frame index from a container's own tables, by ranges: a [`Walk`] says which bytes it wants next,
//! and the caller, who does the reading, gives them.
//!
//! | module | owns |
//! |---|---|
//! | `window` | the bytes at hand, and how a reader asks for others |
//! | `reads` | what is asked for, and its bounds |
//! | `walk` | [`Walk`]: through the tables of the picture |
//! | `cues` | [`CueWalk`]: where decoding can begin in a large Matroska file |
//! | `sound` | [`SoundWalk`]: whether the sound's frames are regular |
//! | `abridge` | [`Abridge`]: the tables of a film's beginning, for programs |
//! | `mp4` | MP4 and MOV: sample tables, edit lists, fragments |
//! | `matroska` | Matroska and WebM: the headers of blocks, and cues |
//!
//! The times are those that ffmpeg gives the packets, because its filters cut by them. So its ways with
//! edit lists and offsets (libavformat 5.1) are repeated here, and whatever it mends, guesses or skips
//! is not read at all: the answer then is that there is no index. The bytes are a stranger's: no size is
//! trusted, and work and memory are bounded by [`crate::limits::MAX_FRAMES`] and by what is read.

mod abridge;
mod cues;
mod matroska;
mod mp4;
mod reads;
mod sound;
mod walk;
mod window;

#[cfg(test)]
mod tests;

pub use abridge::{Abridge, KEPT, Patch};
pub use cues::CueWalk;
pub use sound::SoundWalk;
pub use walk::Walk;

/// Most bytes that are asked for at once: what a request for a range should hold in memory.
pub const MAX_READ: u64 = 4 << 20;

/// Most reads in all. The tables of a plain file take a dozen; a fragmented one takes one a fragment,
/// so this is some 4 to 7 hours of usual fragments, and some minutes of small requests.
pub const MAX_READS: u32 = 4096;

/// Most bytes in all, 256 MiB: the largest tables that [`crate::limits::MAX_FRAMES`] samples can have are
/// 44 bytes a sample, 228 MB; usual ones are 10 to 20 bytes a frame.
pub const MAX_BYTES: u64 = 256 << 20;

/// Largest Matroska file of which every frame is looked for, 64 MiB: headers of blocks lie everywhere, so all of it is read.
pub const MAX_MATROSKA: u64 = 64 << 20;

/// What a reader of a container's tables wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<T> {
    /// Exactly these bytes, which lie inside the file; at least 1, at most [`MAX_READ`].
    Read {
        /// From the file's beginning.
        offset: u64,
        /// Bytes.
        length: u64,
    },
    /// The end: what was looked for, or that this file gives none.
    Done(Option<T>),
}
