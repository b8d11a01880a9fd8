//! The frame index from a container's own tables, by ranges: a [`Walk`] says which bytes it wants next,
//! and the caller, who does the reading, gives them.
//!
//! | module | owns |
//! |---|---|
//! | `window` | the bytes at hand, and how a reader asks for others |
//! | `mp4` | MP4 and MOV: sample tables, edit lists, fragments |
//! | `matroska` | Matroska and WebM: the headers of blocks |
//!
//! The times are those that ffmpeg gives the packets, because its filters cut by them. So its ways with
//! edit lists and offsets (libavformat 5.1) are repeated here, and whatever it mends, guesses or skips
//! is not read at all: the answer then is that there is no index. The bytes are a stranger's: no size is
//! trusted, and work and memory are bounded by [`crate::limits::MAX_FRAMES`] and by what is read.

mod matroska;
mod mp4;
mod window;

#[cfg(test)]
mod tests;

use crate::probe::Video;
use crate::{Index, Probe};
use matroska::Matroska;
use mp4::Mp4;
use window::{Halt, Window};

/// Most bytes that are asked for at once: what a request for a range should hold in memory.
pub const MAX_READ: u64 = 4 << 20;

/// Most reads in all. The tables of a plain file take a dozen; a fragmented one takes one a fragment,
/// so this is some 4 to 7 hours of usual fragments, and some minutes of small requests.
pub const MAX_READS: u32 = 4096;

/// Most bytes in all, 256 MiB: the largest tables that [`crate::limits::MAX_FRAMES`] samples can have are
/// 44 bytes a sample, 228 MB; usual ones are 10 to 20 bytes a frame.
pub const MAX_BYTES: u64 = 256 << 20;

/// Largest Matroska file that is read, 64 MiB: headers of blocks lie everywhere, so all of it is.
pub const MAX_MATROSKA: u64 = 64 << 20;

/// Picture codecs whose packets ffmpeg gives out as the container holds them; it cuts others (VC-1,
/// MPEG-1) anew.
const CODECS: &[&str] = &["av1", "h264", "hevc", "mpeg2video", "mpeg4", "vp9"];

/// Those of MP4 and MOV alone: in Matroska some of them are stored without their headers.
const MP4_CODECS: &[&str] = &["dnxhd", "mjpeg", "prores"];

/// What a walk through a container's tables wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Exactly these bytes, which lie inside the file; at least 1, at most [`MAX_READ`].
    Read {
        /// From the file's beginning.
        offset: u64,
        /// Bytes.
        length: u64,
    },
    /// The end: the index, or that this file gives none (as [`Index::new`], and wherever ffmpeg's times
    /// could be others than the tables').
    Done(Option<Index>),
}

/// A walk through one file.
#[derive(Debug)]
pub struct Walk {
    reader: Reader,
    window: Window,
    /// What was asked for last.
    asked: Option<(u64, u64)>,
    reads: u32,
    bytes: u64,
}

#[derive(Debug)]
enum Reader {
    Mp4(Mp4),
    Matroska(Matroska),
}

impl Walk {
    /// For an original of `size` bytes. `None`: its container has no tables that are read here.
    pub fn new(probe: &Probe, size: u64) -> Option<Self> {
        let video = probe.video.as_ref()?;
        let reader = reader(probe, video, size)?;
        Some(Self { reader, window: Window::new(size), asked: None, reads: 0, bytes: 0 })
    }

    /// The first step.
    pub fn start(&mut self) -> Step {
        self.advance()
    }

    /// The step after `bytes` have been read; others than those that were asked for end the walk
    /// without an index.
    pub fn next(&mut self, bytes: &[u8]) -> Step {
        match self.asked.take() {
            Some((offset, length)) if bytes.len() as u64 == length => {
                self.window.fill(offset, bytes);
                self.advance()
            }
            _ => Step::Done(None),
        }
    }

    fn advance(&mut self) -> Step {
        let told = match &mut self.reader {
            Reader::Mp4(mp4) => mp4.run(&self.window),
            Reader::Matroska(matroska) => matroska.run(&self.window),
        };
        let (offset, length) = match told {
            Ok(index) => return Step::Done(Some(index)),
            Err(Halt::Unfit) => return Step::Done(None),
            Err(Halt::Read { offset, length }) => (offset, length),
        };
        self.reads += 1;
        self.bytes += length;
        if self.reads > MAX_READS || self.bytes > MAX_BYTES {
            return Step::Done(None);
        }
        self.asked = Some((offset, length));
        Step::Read { offset, length }
    }
}

fn reader(probe: &Probe, video: &Video, size: u64) -> Option<Reader> {
    if !video.indexable(&probe.container) {
        return None;
    }
    let is = |name| probe.container.split(',').any(|part| part == name);
    let codec = video.codec.as_str();
    let common = CODECS.contains(&codec);
    if is("mov") && (common || MP4_CODECS.contains(&codec)) {
        return Some(Reader::Mp4(Mp4::new(video)));
    }
    (is("matroska") && common && size <= MAX_MATROSKA)
        .then(|| Reader::Matroska(Matroska::new(video, size)))
}
