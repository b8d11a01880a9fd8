//! Sample tables: read one after the other into one list of samples.

use super::super::window::{Go, Halt, Window, number};
use super::boxes::Table;
use super::scan::{Places, Sizes, Track};
use crate::{Index, limits};

/// A sample in the order of decoding; 16 bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sample {
    /// Until the next is decoded.
    pub(super) duration: u32,
    /// From decoding to presentation.
    pub(super) offset: i32,
    pub(super) size: u32,
    pub(super) key: bool,
}

/// A track's samples.
#[derive(Debug, Default)]
pub(super) struct Samples {
    pub(super) list: Vec<Sample>,
    /// There is a table of offsets.
    pub(super) reordered: bool,
    /// How far below zero offsets go, at least 0.
    pub(super) lead: i64,
}

/// Largest offset that ffmpeg believes.
const MAX_OFFSET: u32 = 1 << 28;

/// A reader of one track's tables.
#[derive(Debug)]
pub(super) struct Tables {
    track: Track,
    samples: Samples,
    /// Chunks' lengths: first chunk from 1 on, samples in each.
    runs: Vec<(u32, u32)>,
    step: Step,
    /// Entries of the table at hand that are read.
    done: u32,
    /// Samples that it has filled, or the number of the last that was a key frame.
    filled: usize,
    /// The run of the chunk at hand.
    run: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Sizes,
    Times,
    Offsets,
    Keys,
    Runs,
    Chunks,
    End,
}

impl Tables {
    /// Unfit where there are too many samples.
    pub(super) fn new(track: Track) -> Go<Self> {
        let n_samples = usize::try_from(track.tables.samples()).map_err(|_| Halt::Unfit)?;
        if n_samples > limits::MAX_FRAMES {
            return Err(Halt::Unfit);
        }
        let samples = Samples { list: vec![Sample::default(); n_samples], ..Samples::default() };
        let (runs, step) = (Vec::new(), Step::Sizes);
        Ok(Self { track, samples, runs, step, done: 0, filled: 0, run: 0 })
    }

    pub(super) fn run(&mut self, window: &Window) -> Go<Index> {
        let places = self.track.tables.clone();
        while self.step != Step::End {
            let (table, next) = table(&places, self.step)?;
            let piece = match &table {
                Some(table) => table.piece(window, self.done)?,
                None => &[],
            };
            match (self.step, table) {
                (_, Some(table)) if !piece.is_empty() => {
                    let entry = usize::try_from(table.entry).map_err(|_| Halt::Unfit)?;
                    for field in piece.chunks_exact(entry) {
                        self.entry(field, &table, window.size())?;
                        self.done += 1;
                    }
                }
                _ => {
                    self.ended(places.sizes.and_then(|sizes| sizes.same))?;
                    (self.step, self.done, self.filled) = (next, 0, 0);
                }
            }
        }
        let track = &self.track;
        let packets = track.edits.packets(&self.samples, track.scale, track.movie_scale)?;
        Index::new(packets).ok_or(Halt::Unfit)
    }

    /// Takes an entry of the table at hand.
    fn entry(&mut self, field: &[u8], table: &Table, size: u64) -> Go<()> {
        let (front, back) = field.split_at(field.len() / 2);
        match self.step {
            Step::Sizes => self.size(u32::try_from(number(field)).map_err(|_| Halt::Unfit)?),
            Step::Times => {
                let duration = small(back)?;
                // ffmpeg mends what is larger.
                if duration > i32::MAX as u32 {
                    return Err(Halt::Unfit);
                }
                self.run_of(small(front)?, |sample| sample.duration = duration)
            }
            Step::Offsets => {
                let offset = small(back)?.cast_signed();
                if offset.unsigned_abs() > MAX_OFFSET {
                    return Err(Halt::Unfit);
                }
                // The last two are left out, in libavformat 5.1.
                if self.done + 2 < table.count {
                    self.samples.lead = self.samples.lead.max(-i64::from(offset));
                }
                self.run_of(small(front)?, |sample| sample.offset = offset)
            }
            Step::Keys => self.key(small(field)?),
            Step::Runs => {
                let (first, rest) = field.split_at(4);
                let (count, description) = rest.split_at(4);
                self.chunk_run(small(first)?, small(count)?, small(description)?)
            }
            Step::Chunks => self.chunk(number(field), size),
            Step::End => Err(Halt::Unfit),
        }
    }

    fn size(&mut self, size: u32) -> Go<()> {
        let sample = self.samples.list.get_mut(self.filled).ok_or(Halt::Unfit)?;
        // An empty packet is none, and ffmpeg stops at one of 1 GiB.
        if !(1..1 << 30).contains(&size) {
            return Err(Halt::Unfit);
        }
        sample.size = size;
        self.filled += 1;
        Ok(())
    }

    /// Fills the next `count` samples, at least 1.
    fn run_of(&mut self, count: u32, fill: impl Fn(&mut Sample)) -> Go<()> {
        let count = usize::try_from(count).map_err(|_| Halt::Unfit)?;
        let end = self.filled.checked_add(count).filter(|end| *end > self.filled);
        let range = self.filled..end.ok_or(Halt::Unfit)?;
        self.filled = range.end;
        self.samples.list.get_mut(range).ok_or(Halt::Unfit)?.iter_mut().for_each(fill);
        Ok(())
    }

    /// Sample `number`, from 1 on, rising.
    fn key(&mut self, number: u32) -> Go<()> {
        let number = usize::try_from(number).map_err(|_| Halt::Unfit)?;
        let nth = number.checked_sub(1).filter(|nth| *nth >= self.filled).ok_or(Halt::Unfit)?;
        self.samples.list.get_mut(nth).ok_or(Halt::Unfit)?.key = true;
        self.filled = number;
        Ok(())
    }

    fn chunk_run(&mut self, first: u32, count: u32, description: u32) -> Go<()> {
        let after = self.runs.last().map_or(0, |(first, _)| *first);
        let sound = if self.runs.is_empty() { first == 1 } else { first > after };
        if !sound || count == 0 || description != 1 || self.runs.len() >= self.samples.list.len() {
            return Err(Halt::Unfit);
        }
        self.runs.push((first, count));
        Ok(())
    }

    /// A chunk's samples lie in the file: those of a file that was cut off do not come as packets.
    fn chunk(&mut self, offset: u64, size: u64) -> Go<()> {
        let number = self.done.checked_add(1).ok_or(Halt::Unfit)?;
        if self.runs.get(self.run + 1).is_some_and(|(first, _)| *first == number) {
            self.run += 1;
        }
        let (_, count) = self.runs.get(self.run).ok_or(Halt::Unfit)?;
        let end = self.filled.checked_add(usize::try_from(*count).map_err(|_| Halt::Unfit)?);
        let range = self.filled..end.ok_or(Halt::Unfit)?;
        let samples = self.samples.list.get(range).ok_or(Halt::Unfit)?;
        let bytes: u64 = samples.iter().map(|sample| u64::from(sample.size)).sum();
        self.filled += samples.len();
        match offset.checked_add(bytes) {
            Some(end) if end <= size => Ok(()),
            _ => Err(Halt::Unfit),
        }
    }

    /// The table at hand is read, or absent: is it whole?
    fn ended(&mut self, same: Option<u32>) -> Go<()> {
        let n_samples = self.samples.list.len();
        let whole = match self.step {
            Step::Sizes => {
                for _ in 0..same.map_or(0, |_| n_samples) {
                    self.size(same.unwrap_or(0))?;
                }
                self.filled == n_samples
            }
            Step::Times => self.filled == n_samples,
            Step::Offsets => {
                self.samples.reordered = self.done > 0;
                self.done == 0 || self.filled == n_samples
            }
            Step::Keys if self.track.tables.keys.is_none() => {
                // All are key frames, which cannot be where frames are shown in another order.
                let mut list = self.samples.list.iter();
                let offset = list.next().map_or(0, |sample| sample.offset);
                let even = list.all(|sample| sample.offset == offset);
                self.samples.list.iter_mut().for_each(|sample| sample.key = true);
                even
            }
            // An empty table: ffmpeg asks the coded bytes.
            Step::Keys => self.done > 0,
            Step::Runs => true,
            Step::Chunks => self.filled == n_samples && self.run + 1 == self.runs.len(),
            Step::End => false,
        };
        if whole { Ok(()) } else { Err(Halt::Unfit) }
    }
}

/// The table that a step reads, and the step after it.
fn table(places: &Places, step: Step) -> Go<(Option<Table>, Step)> {
    let each = |sizes: Sizes| sizes.same.is_none().then_some(sizes.table);
    let must = |table: Option<Table>| table.map(Some).ok_or(Halt::Unfit);
    Ok(match step {
        Step::Sizes => (places.sizes.and_then(each), Step::Times),
        Step::Times => (must(places.times)?, Step::Offsets),
        Step::Offsets => (places.offsets, Step::Keys),
        Step::Keys => (places.keys, Step::Runs),
        Step::Runs => (must(places.runs)?, Step::Chunks),
        Step::Chunks | Step::End => (must(places.chunks)?, Step::End),
    })
}

fn small(field: &[u8]) -> Go<u32> {
    u32::try_from(number(field)).map_err(|_| Halt::Unfit)
}
