//! Fragments of AAC into segments that end where the picture is cut.
//!
//! A segment of sound that ends after its segment of video made a player jump back when it stalled there, so
//! each ends with the last AAC frame that ends at or before the cut; the last takes the rest.

use std::collections::VecDeque;

use crate::fmp4::{Fragment, fragment};
use crate::grid::{SHORT_TAIL, joins};
use crate::{Grid, Mismatch, Segment, TICKS};

/// What a segment may be longer than the target duration, ticks: EXTINF is rounded to whole seconds.
const OVER_TARGET: u64 = TICKS * 2 / 5;

/// Builds the segments of the sound.
#[derive(Debug)]
pub struct Packer {
    grid: Grid,
    target_duration: u32,
    timescale: Option<u32>,
    /// Size and duration of what waits, and its bytes.
    waiting: VecDeque<(u32, u32)>,
    data: VecDeque<u8>,
    /// Decode times, in units of the timescale.
    start: u64,
    end: u64,
    sequence: u32,
    /// The next cut is cut number this.
    cut: u32,
}

impl Packer {
    /// For the sound of a plan with this grid.
    pub fn new(grid: &Grid) -> Self {
        Self {
            target_duration: grid.target_duration(),
            grid: grid.clone(),
            timescale: None,
            waiting: VecDeque::new(),
            data: VecDeque::new(),
            start: 0,
            end: 0,
            sequence: 0,
            cut: 1,
        }
    }

    /// Takes the next fragment of the encoder, gives the segments that are complete.
    ///
    /// # Errors
    /// [`Mismatch`]: the fragment does not go on where the last one ended.
    pub fn push(&mut self, fragment: &Fragment) -> Result<Vec<Segment>, Mismatch> {
        match self.timescale {
            // Time 0 is the first sample, or its rounding; far from it our arguments were not heeded.
            None if fragment.tfdt >= u64::from(fragment.timescale) => {
                return Err(Mismatch::Hole { want: 0, got: fragment.tfdt });
            }
            None => {
                self.timescale = Some(fragment.timescale);
                (self.start, self.end) = (fragment.tfdt, fragment.tfdt);
            }
            Some(want) if want != fragment.timescale => {
                return Err(Mismatch::Timescale { want, got: fragment.timescale });
            }
            Some(_) if fragment.tfdt != self.end => {
                return Err(Mismatch::Hole { want: self.end, got: fragment.tfdt });
            }
            Some(_) => {}
        }
        for sample in &fragment.table {
            let data = fragment.data(sample);
            let whole = data.len() == usize::try_from(sample.size).unwrap_or(usize::MAX);
            if !whole || sample.duration > fragment.timescale {
                return Err(Mismatch::Table);
            }
            self.waiting.push_back((sample.size, sample.duration));
            self.data.extend(data);
            self.end += u64::from(sample.duration);
        }
        let mut segments = Vec::new();
        while let Some(segment) = self.complete() {
            segments.push(segment);
        }
        Ok(segments)
    }

    /// The stream has ended by itself; gives what is left.
    ///
    /// # Errors
    /// [`Mismatch::Nothing`] if nothing ever came.
    pub fn finish(mut self) -> Result<Vec<Segment>, Mismatch> {
        let mut segments = Vec::new();
        while let Some(cut) = self.next_cut().filter(|cut| *cut < self.ticks(self.end)) {
            let start = self.ticks(self.start);
            let tail = self.ticks(self.end) - cut;
            if joins(cut.saturating_sub(start), tail, self.target_duration) {
                break;
            }
            segments.extend(self.take_until(cut));
        }
        segments.extend(self.take(self.waiting.len()));
        if segments.is_empty() && self.sequence == 0 {
            return Err(Mismatch::Nothing);
        }
        Ok(segments)
    }

    /// A segment whose cut has been passed, by so much that what follows is no short tail.
    fn complete(&mut self) -> Option<Segment> {
        loop {
            let cut = self.next_cut()?;
            let wait = if self.grid.exact && self.planned_cut().is_some() { 0 } else { SHORT_TAIL };
            if self.ticks(self.end) < cut.saturating_add(wait) {
                return None;
            }
            if let Some(segment) = self.take_until(cut) {
                return Some(segment);
            }
        }
    }

    fn planned_cut(&self) -> Option<u64> {
        self.grid.cut(self.cut)
    }

    /// The planned cut; after the last one of an exact grid, the longest that a segment may be.
    fn next_cut(&self) -> Option<u64> {
        self.timescale?;
        let longest = u64::from(self.target_duration) * TICKS + OVER_TARGET;
        self.planned_cut().or(self.ticks(self.start).checked_add(longest))
    }

    /// The frames that end at or before `cut`; `None` if there are none, then the next cut counts. Samples last
    /// at most a second, so beyond the planned cuts, where segments are longer, there always are some.
    fn take_until(&mut self, cut: u64) -> Option<Segment> {
        let timescale = u128::from(self.timescale?);
        let limit = u128::from(cut) * timescale / u128::from(TICKS);
        let mut end = u128::from(self.start);
        let mut frames = 0;
        for (_, duration) in &self.waiting {
            end += u128::from(*duration);
            if end > limit {
                break;
            }
            frames += 1;
        }
        self.cut = self.cut.saturating_add(1);
        self.take(frames)
    }

    fn take(&mut self, frames: usize) -> Option<Segment> {
        let samples: Vec<(u32, u32)> = self.waiting.drain(..frames).collect();
        if samples.is_empty() {
            return None;
        }
        let size = samples.iter().map(|(size, _)| u64::from(*size)).sum::<u64>();
        let data: Vec<u8> = self.data.drain(..usize::try_from(size).unwrap_or(0)).collect();
        let (sequence, start) = (self.sequence, self.start);
        self.sequence += 1;
        self.start += samples.iter().map(|(_, duration)| u64::from(*duration)).sum::<u64>();
        let start_ticks = self.ticks(start);
        Some(Segment {
            sequence,
            start_ticks,
            duration_ticks: self.ticks(self.start) - start_ticks,
            frames: u64::try_from(samples.len()).unwrap_or(u64::MAX),
            bytes: fragment(sequence + 1, start, &samples, &data),
        })
    }

    /// Units of the track as ticks, to nearest.
    fn ticks(&self, units: u64) -> u64 {
        let timescale = u128::from(self.timescale.unwrap_or(1).max(1));
        let ticks = (u128::from(units) * u128::from(TICKS) + timescale / 2) / timescale;
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }
}
