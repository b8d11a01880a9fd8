//! What a track's samples are, in the runs in which a file's tables tell them.

use crate::fmp4::{Error, Sample};

/// Sizes, times and key frames of a track's samples so far.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// Bytes of each sample.
    pub(super) sizes: Vec<u32>,
    /// Durations; each sample lasts until the next begins. The last one's is not among them.
    durations: Vec<Run<u32>>,
    /// Presentation minus decode time.
    offsets: Vec<Run<i64>>,
    /// Samples that can be decoded alone, from 1.
    pub(super) keys: Vec<u32>,
    first: Option<Sample>,
    last: Option<Sample>,
    /// Earliest presentation time, and the end of the latest.
    shown: Option<(i64, i64)>,
}

/// Equal values one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run<T> {
    pub(super) count: u32,
    pub(super) value: T,
}

impl Tables {
    pub(super) fn push(&mut self, sample: &Sample) -> Result<(), Error> {
        if let Some(last) = self.last {
            let lasted = sample.dts.checked_sub(last.dts).ok_or(Error::Structure("tfdt"))?;
            add(&mut self.durations, u32::try_from(lasted).map_err(|_| Error::TooLarge)?);
        }
        let dts = i64::try_from(sample.dts).map_err(|_| Error::TooLarge)?;
        let end = sample.pts.checked_add(sample.duration.into()).ok_or(Error::TooLarge)?;
        self.sizes.push(sample.size);
        add(&mut self.offsets, sample.pts.checked_sub(dts).ok_or(Error::TooLarge)?);
        if sample.sync {
            self.keys.push(u32::try_from(self.sizes.len()).map_err(|_| Error::TooLarge)?);
        }
        let (from, to) = self.shown.unwrap_or((sample.pts, end));
        self.shown = Some((from.min(sample.pts), to.max(end)));
        self.first = self.first.or(Some(*sample));
        self.last = Some(*sample);
        Ok(())
    }

    /// Decode time of the last sample so far.
    pub(super) fn decoded_at(&self) -> u64 {
        self.last.map_or(0, |last| last.dts)
    }

    /// What the tables say once all samples are known.
    pub(super) fn finish(&self) -> Result<Times, Error> {
        let (Some(first), Some(last), Some((start, end))) = (self.first, self.last, self.shown)
        else {
            return Err(Error::Empty);
        };
        let begins = start.max(0);
        let shown = u64::try_from(end - begins).map_err(|_| Error::TooLarge)?;
        // The last one decoded is seldom the last one shown: it lasts until that has ended.
        let before = last.dts - first.dts;
        let decoded = before.saturating_add(last.duration.into()).max(shown);
        let mut durations = self.durations.clone();
        add(&mut durations, u32::try_from(decoded - before).map_err(|_| Error::TooLarge)?);
        // Offsets in the file are never negative: old players know no others.
        let least = self.offsets.iter().map(|run| run.value).min().unwrap_or(0);
        let delay = least.checked_neg().ok_or(Error::TooLarge)?.max(0);
        let mut offsets = Vec::with_capacity(self.offsets.len());
        for run in &self.offsets {
            let value = u32::try_from(run.value + delay).map_err(|_| Error::TooLarge)?;
            offsets.push(Run { count: run.count, value });
        }
        let shift = delay - i64::try_from(first.dts).map_err(|_| Error::TooLarge)?;
        Ok(Times {
            durations,
            offsets: if offsets.iter().all(|run| run.value == 0) { Vec::new() } else { offsets },
            decoded,
            begins: begins.unsigned_abs(),
            entry: u64::try_from(begins + shift).map_err(|_| Error::TooLarge)?,
            shown,
        })
    }
}

/// A track's times, in units of its timescale.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// How long each sample is decoded.
    pub(super) durations: Vec<Run<u32>>,
    /// What each is shown later than it is decoded; none if nothing is reordered.
    pub(super) offsets: Vec<Run<u32>>,
    /// All durations.
    pub(super) decoded: u64,
    /// How long the film shows nothing of this track at first.
    pub(super) begins: u64,
    /// Time in the track at which it begins to be shown.
    pub(super) entry: u64,
    /// How long it is shown.
    pub(super) shown: u64,
}

fn add<T: PartialEq>(runs: &mut Vec<Run<T>>, value: T) {
    match runs.last_mut() {
        Some(run) if run.value == value => run.count += 1,
        _ => runs.push(Run { count: 1, value }),
    }
}
