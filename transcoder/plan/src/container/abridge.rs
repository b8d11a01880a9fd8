//! The tables of a film's beginning, in the place of those of all of it.

use super::Step;
use super::mp4;
use super::reads::Reads;
use crate::TICKS;

/// How much of a film stays, ticks beyond where its latest track begins: 60 s. Who wants the first segment reads
/// some 3 s, ffprobe at most 5.
pub const KEPT: u64 = 60 * TICKS;

/// Smaller movie boxes are left as they are, bytes: 1 MiB, some 20 min. Reading one takes 7 ms.
pub(super) const WORTH: u64 = 1 << 20;

/// Largest patch, bytes: what else stands in the movie's box, cover art mostly, is kept.
pub(super) const LARGEST: usize = 2 << 20;

/// Most reads: two tracks take a dozen.
const MAX_READS: u32 = 64;

/// Most bytes that are read, and held, 16 MiB: two tracks of 2 h take 0.2 MB, with times of their own for each frame 2 MB.
const MAX_HELD: u64 = 16 << 20;

/// Other bytes in the place of some of a file's. Nothing else moves: the file is as long as before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// From the file's beginning.
    pub offset: u64,
    /// What stands there instead; at least 1, and within the file.
    pub bytes: Vec<u8>,
    /// Of all tracks, at least what is decoded for this time of the original's own clock is there, ticks.
    pub until: u64,
}

/// A reader that looks for the [`Patch`] of one file. It ends without one where the movie's box is below 1 MiB, where the
/// file is no MP4, and where it is not quite understood.
#[derive(Debug)]
pub struct Abridge {
    reads: Reads,
}

impl Abridge {
    /// For an original of `size` bytes.
    pub fn new(size: u64) -> Self {
        Self { reads: Reads::new(size, MAX_READS) }
    }

    /// The first step.
    pub fn start(&mut self) -> Step<Patch> {
        self.advance()
    }

    /// The step after `bytes` have been read; others than those that were asked for end it without a patch.
    pub fn next(&mut self, bytes: &[u8]) -> Step<Patch> {
        self.reads.keep(bytes, MAX_HELD).map_or(Step::Done(None), |()| self.advance())
    }

    /// Begins anew each time: it is a few thousand entries, and all that was read is at hand.
    fn advance(&mut self) -> Step<Patch> {
        let told = mp4::abridged(&self.reads.window);
        self.reads.step(told)
    }
}
