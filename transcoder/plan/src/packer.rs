//! Fragments of AAC into segments that end where the picture is cut.
//!
//! A segment of sound that ends after its segment of video made a player jump back when it stalled there, so
//! each ends with the last AAC frame that ends at or before the cut; the last takes the rest.
//!
//! Frames follow each other without a hole by our arguments. Where the original's channels change within the film,
//! ffmpeg begins anew and fills with silence from time 0 on; those frames come late, and are left out.

use std::cmp::Ordering;
use std::collections::VecDeque;

use crate::copy::sound;
use crate::fmp4::{Fragment, fragment};
use crate::grid::{SHORT_TAIL, joins};
use crate::{Grid, Mismatch, Plan, Segment, TICKS};

/// Samples in an AAC-LC frame, all we make.
const FRAME: u32 = 1024;

/// Most bytes of a frame of mono or stereo: 6144 bits a channel (ISO 14496-3, 4.5.3.1).
const LARGEST: u32 = 2 * 6144 / 8;

/// What a segment may be longer than the target duration, ticks: EXTINF is rounded to whole seconds.
const OVER_TARGET: u64 = TICKS * 2 / 5;

/// Builds the segments of the sound.
#[derive(Debug)]
pub struct Packer {
    grid: Grid,
    target_duration: u32,
    timescale: Option<u32>,
    /// Its first frame begins at 0.
    copied: bool,
    /// Where the sound ends at the earliest, ticks.
    ends: u64,
    /// Sizes of the frames that wait, and their bytes.
    waiting: VecDeque<u32>,
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
            copied: false,
            ends: 0,
            waiting: VecDeque::new(),
            data: VecDeque::new(),
            start: 0,
            end: 0,
            sequence: 0,
            cut: 1,
        }
    }

    /// For the sound of a plan, made up to `until` ticks at least; `None`: all of it. Where the grid is exact, sound that
    /// breaks off before is a mismatch, and its last segment is not given: a program that was killed ends as one that has done.
    pub fn of(plan: &Plan, until: Option<u64>) -> Self {
        let grid = &plan.grid;
        let all = grid.duration.saturating_sub(sound::SHORT);
        let ends = if grid.exact { until.unwrap_or(all).min(all) } else { 0 };
        let copied = plan.audio.as_ref().is_some_and(|audio| audio.copy);
        Self { copied, ends, ..Self::new(grid) }
    }

    /// Takes the next fragment of the encoder, gives the segments that are complete.
    ///
    /// # Errors
    /// [`Mismatch`]: the fragment does not go on where the last one ended, or holds what is no frame of AAC.
    pub fn push(&mut self, fragment: &Fragment) -> Result<Vec<Segment>, Mismatch> {
        match self.timescale {
            // Time 0 is the first sample, or its rounding; far from it our arguments were not heeded.
            None if fragment.tfdt >= u64::from(fragment.timescale)
                || (self.copied && fragment.tfdt != 0) =>
            {
                return Err(Mismatch::Hole { want: 0, got: fragment.tfdt });
            }
            None => {
                self.timescale = Some(fragment.timescale);
                (self.start, self.end) = (fragment.tfdt, fragment.tfdt);
            }
            Some(want) if want != fragment.timescale => {
                return Err(Mismatch::Timescale { want, got: fragment.timescale });
            }
            Some(_) => {}
        }
        for sample in &fragment.table {
            let data = fragment.data(sample);
            if data.len() != usize::try_from(sample.size).unwrap_or(usize::MAX) {
                return Err(Mismatch::Table);
            }
            if sample.size > LARGEST {
                return Err(Mismatch::Frame { size: sample.size });
            }
            match sample.dts.cmp(&self.end) {
                Ordering::Less => {}
                Ordering::Equal => {
                    self.waiting.push_back(sample.size);
                    self.data.extend(data);
                    self.end += u64::from(FRAME);
                }
                Ordering::Greater => {
                    return Err(Mismatch::Hole { want: self.end, got: sample.dts });
                }
            }
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
    /// [`Mismatch::Nothing`] if nothing ever came, [`Mismatch::Short`] if it ends too early.
    pub fn finish(mut self) -> Result<Vec<Segment>, Mismatch> {
        let got = self.ticks(self.end);
        if self.timescale.is_some() && got < self.ends {
            return Err(Mismatch::Short { want: self.ends, got });
        }
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

    /// The frames that end at or before `cut`; `None` if there are none, then the next cut counts.
    fn take_until(&mut self, cut: u64) -> Option<Segment> {
        let timescale = u128::from(self.timescale?);
        let limit = u128::from(cut) * timescale / u128::from(TICKS);
        let frames = limit.saturating_sub(u128::from(self.start)) / u128::from(FRAME);
        let frames = usize::try_from(frames).unwrap_or(usize::MAX).min(self.waiting.len());
        self.cut = self.cut.saturating_add(1);
        self.take(frames)
    }

    fn take(&mut self, frames: usize) -> Option<Segment> {
        let sizes: Vec<u32> = self.waiting.drain(..frames).collect();
        if sizes.is_empty() {
            return None;
        }
        let size: u64 = sizes.iter().map(|size| u64::from(*size)).sum();
        let data: Vec<u8> = self.data.drain(..usize::try_from(size).unwrap_or(0)).collect();
        let (sequence, start) = (self.sequence, self.start);
        self.sequence += 1;
        let frames = u64::try_from(sizes.len()).unwrap_or(u64::MAX);
        self.start += frames * u64::from(FRAME);
        let start_ticks = self.ticks(start);
        Some(Segment {
            sequence,
            start_ticks,
            duration_ticks: self.ticks(self.start) - start_ticks,
            frames,
            bytes: fragment(sequence + 1, start, FRAME, &sizes, &data),
        })
    }

    /// Units of the track as ticks, to nearest.
    fn ticks(&self, units: u64) -> u64 {
        let timescale = u128::from(self.timescale.unwrap_or(1).max(1));
        let ticks = (u128::from(units) * u128::from(TICKS) + timescale / 2) / timescale;
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Rational;
    use crate::fmp4::Sample;

    /// `frames` frames of one byte each, from frame number `first` on; the byte is its number.
    fn sound(first: u64, frames: usize) -> Fragment {
        let table = (0..frames).map(|at| {
            let dts = (first + at as u64) * u64::from(FRAME);
            Sample { offset: at, size: 1, duration: FRAME, dts, pts: dts as i64, sync: true }
        });
        let tfdt = first * u64::from(FRAME);
        Fragment {
            bytes: (0..frames).map(|at| (first + at as u64) as u8).collect(),
            timescale: 48_000,
            tfdt,
            duration: frames as u64 * u64::from(FRAME),
            samples: frames as u32,
            first_cts: 0,
            start: tfdt as i64,
            end: (tfdt + frames as u64 * u64::from(FRAME)) as i64,
            starts_with_sync: true,
            table: table.collect(),
        }
    }

    proptest! {
        #![proptest_config(crate::same_cases(400))]

        #[test]
        fn no_frame_is_lost_and_none_ends_after_its_cut(
            runs in prop::collection::vec(1usize..300, 1..30),
            steps in prop::collection::vec(1u64..200_000, 1..200),
            kind in 0..3,
        ) {
            let mut time = 0;
            let times = std::iter::once(0).chain(steps.iter().map(|step| { time += step; time }));
            let rate = Rational::whole(25);
            let grid = match kind {
                0 => Grid::exact(times, rate).unwrap(),
                1 => Grid::nominal(rate, 10 * TICKS),
                _ => Grid::audio(0),
            };
            let mut packer = Packer::new(&grid);
            let (mut segments, mut frames) = (Vec::new(), 0);
            for run in runs {
                segments.extend(packer.push(&sound(frames, run)).unwrap());
                frames += run as u64;
            }
            segments.extend(packer.finish().unwrap());
            let mut bytes = Vec::new();
            let (mut at, mut cut) = (0, 0);
            let longest = u64::from(grid.target_duration()) * TICKS + TICKS / 2;
            let n_segments = segments.len();
            for (number, segment) in segments.into_iter().enumerate() {
                prop_assert_eq!(segment.sequence as usize, number);
                prop_assert_eq!(segment.start_ticks, at);
                prop_assert!(segment.duration_ticks < longest);
                at += segment.duration_ticks;
                // It ends less than a frame (1920 ticks) before a cut, or after all of them.
                while grid.cut(cut).is_some_and(|cut| cut < at) {
                    cut += 1;
                }
                let before = grid.cut(cut).is_none_or(|cut| cut - at < 1920);
                prop_assert!(before || number + 1 == n_segments);
                let n_frames = segment.frames as usize;
                bytes.extend_from_slice(&segment.bytes[segment.bytes.len() - n_frames..]);
            }
            let want: Vec<u8> = (0..frames).map(|frame| frame as u8).collect();
            prop_assert_eq!(bytes, want);
        }
    }

    #[test]
    fn a_hole_is_an_error_and_late_frames_are_left_out() {
        let mut packer = Packer::new(&Grid::audio(0));
        packer.push(&sound(0, 10)).unwrap();
        packer.push(&sound(8, 4)).unwrap();
        let hole = Mismatch::Hole { want: 12 * 1024, got: 13 * 1024 };
        assert_eq!(packer.push(&sound(13, 1)), Err(hole));
        assert_eq!(packer.finish().unwrap()[0].frames, 12);
        assert_eq!(Packer::new(&Grid::audio(0)).finish(), Err(Mismatch::Nothing));
    }

    #[test]
    fn sound_that_breaks_off_or_begins_late() {
        let second = Grid::exact((0..25).map(|frame| frame * 3600), Rational::whole(25)).unwrap();
        let made = |ends, first, frames| {
            let mut packer = Packer { copied: true, ends, ..Packer::new(&second) };
            packer.push(&sound(first, frames))?;
            packer.finish().map(|segments| segments.iter().map(|s| s.frames).sum::<u64>())
        };
        assert_eq!(made(81_000, 0, 43), Ok(43));
        assert_eq!(made(81_000, 0, 42), Err(Mismatch::Short { want: 81_000, got: 80_640 }));
        assert_eq!(made(0, 0, 42), Ok(42));
        assert_eq!(made(81_000, 1, 46), Err(Mismatch::Hole { want: 0, got: 1024 }));
        let mut large = sound(0, 1);
        (large.table[0].size, large.bytes) = (LARGEST + 1, vec![0; LARGEST as usize + 1]);
        let refused = Err(Mismatch::Frame { size: LARGEST + 1 });
        assert_eq!(Packer::new(&second).push(&large), refused);
    }
}
