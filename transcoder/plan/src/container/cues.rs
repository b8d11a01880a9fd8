//! The cues of a large Matroska file, from its head and its list of them.

use super::reads::Reads;
use super::{MAX_MATROSKA, Step, matroska};
use crate::{Cues, Probe};

/// Most reads: the elements before the first cluster, and a list of some 20,000 cues in each.
const MAX_READS: u32 = 64;

/// Most bytes that are read, and held, 32 MiB: a cue takes 20 to 40.
const MAX_HELD: u64 = 32 << 20;

/// A reader that looks for the [`Cues`] of the picture in a file of which [`super::Walk`] does not read every block. It ends
/// without them where there are none, where the file's times are not milliseconds, and where it is not quite understood.
#[derive(Debug)]
pub struct CueWalk {
    reads: Reads,
    stream: u32,
}

impl CueWalk {
    /// For an original of `size` bytes. `None`: it is no such file.
    pub fn new(probe: &Probe, size: u64) -> Option<Self> {
        let video = probe.video.as_ref().filter(|video| video.indexable(&probe.container))?;
        let matroska = probe.container.split(',').any(|name| name == "matroska");
        let milliseconds = (video.time_base.num(), video.time_base.den()) == (1, 1000);
        (matroska && milliseconds && size > MAX_MATROSKA)
            .then(|| Self { reads: Reads::new(size, MAX_READS), stream: video.stream })
    }

    /// The first step.
    pub fn start(&mut self) -> Step<Cues> {
        self.advance()
    }

    /// The step after `bytes` have been read; others than those that were asked for end it with nothing.
    pub fn next(&mut self, bytes: &[u8]) -> Step<Cues> {
        self.reads.keep(bytes, MAX_HELD).map_or(Step::Done(None), |()| self.advance())
    }

    /// Begins anew each time: all that was read is at hand.
    fn advance(&mut self) -> Step<Cues> {
        let told = matroska::cues(&self.reads.window, self.stream);
        self.reads.step(told)
    }
}
