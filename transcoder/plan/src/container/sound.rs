//! Whether all frames of a sound track last equally long, from a few headers of an MP4.

use super::Step;
use super::mp4;
use super::reads::Reads;
use crate::Probe;
use crate::probe::SoundFrames;

/// Most reads: the headers of a dozen tracks.
const MAX_READS: u32 = 64;

/// Most bytes that are read, and held, 1 MiB: each read is 4 to 64 KiB.
const MAX_HELD: u64 = 1 << 20;

/// A reader that looks for the [`SoundFrames`] of the sound that is used. It ends without them where the file is no
/// MP4 with tables, where frames last differently long, and where it is not quite understood.
#[derive(Debug)]
pub struct SoundWalk {
    reads: Reads,
    stream: u32,
}

impl SoundWalk {
    /// For an original of `size` bytes. `None`: it has no AAC, which alone can be kept, or no tables that are read here.
    pub fn new(probe: &Probe, size: u64) -> Option<Self> {
        let audio = probe.audio.as_ref().filter(|audio| audio.codec == "aac")?;
        let mp4 = probe.container.split(',').any(|name| name == "mov");
        mp4.then(|| Self { reads: Reads::new(size, MAX_READS), stream: audio.stream })
    }

    /// The first step.
    pub fn start(&mut self) -> Step<SoundFrames> {
        self.advance()
    }

    /// The step after `bytes` have been read; others than those that were asked for end it with nothing.
    pub fn next(&mut self, bytes: &[u8]) -> Step<SoundFrames> {
        self.reads.keep(bytes, MAX_HELD).map_or(Step::Done(None), |()| self.advance())
    }

    /// Begins anew each time: it is a few dozen headers, and all that was read is at hand.
    fn advance(&mut self) -> Step<SoundFrames> {
        let told = mp4::sound_frames(&self.reads.window, self.stream);
        self.reads.step(told)
    }
}
