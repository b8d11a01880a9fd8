//! Edit lists: which samples are shown when. Repeats what libavformat 5.1 makes of a list of at most one
//! leading empty edit and one other (`mov_fix_index`), odd corners included: the first frame that is
//! shown comes at 0, or after the empty edit.

use super::super::window::{Fields, Go, Halt, Window};
use super::boxes::{Place, children, one};
use super::tables::{Sample, Samples};
use crate::index::Packet;

/// Longest time that is believed, in any unit: far from where sums of times overflow.
pub(super) const MAX_TIME: u64 = 1 << 60;

/// A track's edit list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Edits {
    /// Nothing is shown for so long at first, in the movie's units.
    pub(super) empty: Option<u64>,
    /// What is shown then.
    pub(super) shown: Option<Shown>,
}

/// From units of one scale (`movie_scale`) to those of another, halves away from zero as ffmpeg has it.
pub(super) fn rescale(time: u64, scale: u32, movie_scale: u32) -> Go<i64> {
    let movie_scale = u128::from(movie_scale.max(1));
    let time = (u128::from(time) * u128::from(scale) + movie_scale / 2) / movie_scale;
    if time > u128::from(MAX_TIME) {
        return Err(Halt::Unfit);
    }
    i64::try_from(time).map_err(|_| Halt::Unfit)
}

/// A part of the track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    /// In the movie's units.
    pub(super) duration: u64,
    /// Its first time, in the track's units.
    pub(super) from: u64,
}

impl Edits {
    /// Of a track whose box holds `parts`.
    pub(super) fn of(window: &Window, parts: &[Place]) -> Go<Self> {
        let Some(edts) = one(parts, b"edts")? else { return Ok(Self::default()) };
        match one(&children(window, edts)?, b"elst")? {
            Some(elst) => Self::read(elst.small(window)?),
            None => Ok(Self::default()),
        }
    }

    /// From the contents of an elst.
    pub(super) fn read(mut fields: Fields<'_>) -> Go<Self> {
        let wide = fields.u32()? >> 24 == 1;
        let count = fields.u32()?;
        let mut edits = Self::default();
        for nth in 0..count {
            let (duration, from) = if wide {
                (fields.u64()?, fields.u64()?.cast_signed())
            } else {
                (fields.u32()?.into(), fields.i32()?.into())
            };
            let rate = fields.u32()?;
            if duration > MAX_TIME {
                return Err(Halt::Unfit);
            }
            match u64::try_from(from) {
                Ok(from) if edits.shown.is_none() && from <= MAX_TIME && rate == 1 << 16 => {
                    edits.shown = Some(Shown { duration, from });
                }
                Err(_) if nth == 0 && from == -1 => edits.empty = Some(duration),
                _ => return Err(Halt::Unfit),
            }
        }
        // An empty edit alone shows nothing.
        let shows = edits.shown.is_some() || edits.empty.is_none();
        if shows && fields.0.is_empty() { Ok(edits) } else { Err(Halt::Unfit) }
    }

    /// What ffmpeg subtracts from the times of fragments, in the track's units.
    pub(super) fn offset(&self, scale: u32, movie_scale: u32) -> Go<i64> {
        let empty = rescale(self.empty.unwrap_or(0), scale, movie_scale)?;
        let from = self.shown.map_or(0, |shown| shown.from);
        Ok(from.cast_signed() - empty)
    }

    /// The packets of a track with sample tables.
    pub(super) fn packets(
        &self,
        samples: &Samples,
        scale: u32,
        movie_scale: u32,
    ) -> Go<impl Iterator<Item = Packet>> {
        let (mut part, mut from, mut until) = (Part::whole(samples), i64::MIN, i64::MAX);
        if let Some(shown) = self.shown {
            let empty = rescale(self.empty.unwrap_or(0), scale, movie_scale)?;
            from = shown.from.cast_signed();
            until = from + rescale(shown.duration, scale, movie_scale)?;
            part = Part::of(samples, from, until, empty)?;
        }
        let count = part.end - part.start;
        Ok(times(samples).skip(part.start).take(count).map(move |(sample, _, shown_at)| Packet {
            pts: shown_at + part.shift,
            size: sample.size,
            key: sample.key,
            discard: shown_at < from || shown_at >= until,
        }))
    }
}

/// Samples with their decode time (from 0) and presentation time in the media's own time line.
fn times(samples: &Samples) -> impl Iterator<Item = (&Sample, i64, i64)> {
    let mut next = 0;
    samples.list.iter().map(move |sample| {
        let time = next;
        next += i64::from(sample.duration);
        (sample, time, time + i64::from(sample.offset))
    })
}

/// Samples that are given out, and by how much their times are moved.
#[derive(Debug)]
struct Part {
    start: usize,
    end: usize,
    shift: i64,
}

impl Part {
    fn whole(samples: &Samples) -> Self {
        Self { start: 0, end: samples.list.len(), shift: 0 }
    }

    /// Presentation times in `from..until` are shown, after an empty edit of `empty` units.
    fn of(samples: &Samples, from: i64, until: i64, empty: i64) -> Go<Self> {
        let n_samples = samples.list.len();
        // Decode times that stand still let ffmpeg's search end on any of them.
        if samples.list.iter().rev().skip(1).any(|sample| sample.duration == 0) {
            return Err(Halt::Unfit);
        }
        let reordered = samples.reordered;
        let start = start(samples, from);
        // ffmpeg moves the decode times of reordered tracks below 0, so that all offsets are positive.
        let lead = samples.lead;
        let (mut first, mut min, mut clock) = (None, -1, empty - lead);
        let (mut end, mut waited) = (n_samples, false);
        for (nth, (sample, time, shown_at)) in times(samples).enumerate().skip(start) {
            let duration = if nth + 1 < n_samples { sample.duration.into() } else { until - from };
            if (from..until).contains(&shown_at) {
                let at = clock + (shown_at - time) + lead;
                min = if min < 0 { at } else { at.min(min) };
                first.get_or_insert(time);
            }
            if first.is_some() {
                clock += duration;
            }
            // After the last frame that is shown come packets up to the next key frame, or to the one
            // after it: leading frames may follow the first.
            if shown_at + duration >= until && sample.key {
                if !reordered || waited {
                    end = nth + 1;
                    break;
                }
                waited = true;
            }
        }
        let first = first.ok_or(Halt::Unfit)?;
        Ok(Self { start, end, shift: empty - first - (min - empty).max(0) })
    }
}

/// The key frame from which decoding begins so that `from` can be shown, else the first sample that could be.
fn start(samples: &Samples, from: i64) -> usize {
    let (mut key, mut any) = (None, 0);
    for (nth, (sample, time, shown_at)) in times(samples).enumerate() {
        // Both by times as ffmpeg moves them, and asked for as far back: the lead cancels out.
        if time > from {
            break;
        }
        if !samples.reordered {
            any = nth;
        }
        if sample.key && shown_at <= from {
            key = Some(nth);
        }
    }
    key.unwrap_or(any)
}
