//! Video fragments, one for each GOP, into segments by the grid.

mod keyed;

use keyed::{Keyed, Take};

use crate::fmp4::Fragment;
use crate::grid::{SHORT_TAIL, joins};
use crate::{Grid, Mismatch, TICKS};

/// A frame's time may differ by this many ticks from the planned one: ffmpeg and we both round to a tick, newer
/// versions perhaps elsewhere.
const TOLERANCE: u64 = 1;

/// One media file of a playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its place in the playlist, from 0.
    pub sequence: u32,
    /// Ticks.
    pub start_ticks: u64,
    /// Ticks; up to the start of the next.
    pub duration_ticks: u64,
    /// Frames of video, or AAC frames.
    pub frames: u64,
    /// Fragments, without the init segment.
    pub bytes: Vec<u8>,
}

/// Builds the segments that one run makes of one rung.
///
/// In an exact grid every GOP's start and number of frames is compared with the plan. In a nominal grid a segment
/// begins with the first GOP of its nominal time; sequences count what really came. In a keyed one they are those of
/// the plan, segments begin at their nominal times, and what a run makes of its lead is left out.
#[derive(Debug)]
pub struct Segmenter {
    exact: Option<Exact>,
    nominal: Nominal,
}

impl Segmenter {
    /// For the segments from `first` on, up to but without `end`; `None`: to the end of the film. In a nominal grid that is
    /// not keyed always the whole film.
    pub fn new(grid: &Grid, first: u32, end: Option<u32>) -> Self {
        let all = u32::try_from(grid.gops.len()).unwrap_or(u32::MAX);
        let gop = |sequence: u32| grid.segment(sequence).map_or(all, |place| place.first_gop);
        let exact = grid.exact.then(|| Exact {
            grid: grid.clone(),
            gop: gop(first),
            end: end.map_or(all, gop),
            sequence: first,
            bytes: Vec::new(),
        });
        let nominal = Nominal {
            run: grid.keyed.then(|| Keyed::new(first, end)),
            n_fragments: if grid.keyed { first_number(grid, first) } else { 0 },
            sequence: if grid.keyed { first } else { 0 },
            grid: if grid.exact { Grid::nominal(grid.rate, 0) } else { grid.clone() },
            open: None,
            tail: None,
            expected: None,
        };
        Self { exact, nominal }
    }

    /// Takes the next fragment, gives the segments that it completes or shows to be complete.
    ///
    /// # Errors
    /// [`Mismatch`]: not what was planned.
    pub fn push(&mut self, fragment: Fragment) -> Result<Vec<Segment>, Mismatch> {
        if u64::from(fragment.timescale) != TICKS {
            let want = u32::try_from(TICKS).unwrap_or(u32::MAX);
            return Err(Mismatch::Timescale { want, got: fragment.timescale });
        }
        match &mut self.exact {
            Some(exact) => exact.push(fragment).map(Vec::from_iter),
            None => self.nominal.push(fragment),
        }
    }

    /// The stream has ended by itself; gives what is left.
    ///
    /// # Errors
    /// [`Mismatch::TooFew`] in an exact grid, [`Mismatch::Nothing`] in a nominal one.
    pub fn finish(self) -> Result<Vec<Segment>, Mismatch> {
        match self.exact {
            Some(exact) => exact.finish().map(|()| Vec::new()),
            None => self.nominal.finish(),
        }
    }
}

/// Of places there are at least as many as of GOPs, so that numbers of fragments rise over all runs.
fn first_number(grid: &Grid, first: u32) -> u32 {
    u32::try_from(grid.place_of(first)).unwrap_or(u32::MAX / 2)
}

#[derive(Debug)]
struct Exact {
    grid: Grid,
    gop: u32,
    end: u32,
    sequence: u32,
    bytes: Vec<u8>,
}

impl Exact {
    fn push(&mut self, mut fragment: Fragment) -> Result<Option<Segment>, Mismatch> {
        let gop = self.gop;
        let want = usize::try_from(gop).ok().and_then(|at| self.grid.gops.get(at));
        let Some(want) = want.filter(|_| gop < self.end) else {
            return Err(Mismatch::TooMany { want: self.end });
        };
        if fragment.start.abs_diff(want.start.cast_signed()) > TOLERANCE {
            return Err(Mismatch::Start { gop, want: want.start, got: fragment.start });
        }
        if fragment.samples != want.frames {
            return Err(Mismatch::Frames { gop, want: want.frames, got: fragment.samples });
        }
        if !fragment.starts_with_sync {
            return Err(Mismatch::NotSync { gop });
        }
        fragment.renumber(gop + 1);
        self.bytes.append(&mut fragment.bytes);
        self.gop += 1;
        let Some(place) = self.grid.segment(self.sequence) else {
            return Err(Mismatch::TooMany { want: self.end });
        };
        if self.gop < place.first_gop + place.gops {
            return Ok(None);
        }
        self.sequence += 1;
        Ok(Some(Segment {
            sequence: place.sequence,
            start_ticks: place.start,
            duration_ticks: place.duration,
            frames: place.frames.unwrap_or(0),
            bytes: std::mem::take(&mut self.bytes),
        }))
    }

    fn finish(self) -> Result<(), Mismatch> {
        match self.gop {
            gop if gop == self.end => Ok(()),
            got => Err(Mismatch::TooFew { want: self.end, got }),
        }
    }
}

/// A segment that may still grow.
#[derive(Debug)]
struct Open {
    nominal: u64,
    start: u64,
    end: u64,
    frames: u64,
    bytes: Vec<u8>,
}

impl Open {
    fn append(&mut self, mut other: Self) {
        self.end = other.end;
        self.frames += other.frames;
        self.bytes.append(&mut other.bytes);
    }
}

#[derive(Debug)]
struct Nominal {
    grid: Grid,
    /// In a keyed grid, what must come.
    run: Option<Keyed>,
    n_fragments: u32,
    sequence: u32,
    open: Option<Open>,
    /// A short GOP that begins a segment, or is the end of the film and joins the one before.
    tail: Option<Open>,
    /// Presentation end of the last fragment.
    expected: Option<u64>,
}

impl Nominal {
    fn push(&mut self, mut fragment: Fragment) -> Result<Vec<Segment>, Mismatch> {
        let gop = self.n_fragments;
        let want = self.expected.unwrap_or(0);
        let start = u64::try_from(fragment.start)
            .ok()
            .filter(|start| self.expected.is_none() || *start + TICKS > want)
            .ok_or(Mismatch::Start { gop, want, got: fragment.start })?;
        if !fragment.starts_with_sync {
            return Err(Mismatch::NotSync { gop });
        }
        let nominal = self.grid.nominal_segment(start);
        match self.run.as_mut().map_or(Take::It, |run| run.push(nominal)) {
            Take::It => {}
            Take::Nothing => return Ok(Vec::new()),
            Take::Mismatch => return Err(Mismatch::Start { gop, want, got: fragment.start }),
        }
        self.n_fragments += 1;
        fragment.renumber(self.n_fragments);
        let end = u64::try_from(fragment.end).unwrap_or(start).max(start + 1);
        self.expected = Some(end);
        let next =
            Open { nominal, start, end, frames: fragment.samples.into(), bytes: fragment.bytes };
        let mut done = Vec::new();
        if let Some(tail) = self.tail.take() {
            let start = tail.start;
            done.extend(self.open.replace(tail).map(|open| self.close(open, start)));
        }
        match &mut self.open {
            None => self.open = Some(next),
            Some(open) if open.nominal == next.nominal => open.append(next),
            Some(_) if next.end - next.start < SHORT_TAIL => self.tail = Some(next),
            Some(_) => done.extend(self.open.replace(next).map(|open| self.close(open, start))),
        }
        Ok(done)
    }

    fn finish(mut self) -> Result<Vec<Segment>, Mismatch> {
        if let Some(run) = &self.run {
            run.finish()?;
        }
        let mut open = self.open.take().ok_or(Mismatch::Nothing)?;
        let target = self.grid.target_duration();
        let mut done = Vec::new();
        if let Some(tail) = self.tail.take() {
            // A part has what is in its segments, whoever makes the next one.
            let joined = self.run.is_none();
            if joined
                && joins(tail.start - open.start.min(tail.start), tail.end - tail.start, target)
            {
                open.append(tail);
            } else {
                done.push(self.close(open, tail.start));
                open = tail;
            }
        }
        let end = open.end;
        done.push(self.close(open, end));
        Ok(done)
    }

    fn close(&mut self, open: Open, end: u64) -> Segment {
        let sequence = self.sequence;
        self.sequence += 1;
        let (start, end) = match &self.run {
            Some(run) => {
                let nominal = |sequence| self.grid.nominal_start(sequence);
                let ends_film = run.end.is_none() && run.at == Some(sequence.into());
                (nominal(sequence), if ends_film { end } else { nominal(sequence + 1) })
            }
            None => (open.start, end),
        };
        Segment {
            sequence,
            start_ticks: start,
            duration_ticks: end.saturating_sub(start).max(1),
            frames: open.frames,
            bytes: open.bytes,
        }
    }
}
