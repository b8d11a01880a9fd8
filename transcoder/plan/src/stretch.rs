//! Stretches: runs of segments that one task encodes, and where each segment begins in the original.

use serde::{Deserialize, Serialize};

use crate::{Cues, Grid, Index, Rational, TICKS, limits};

/// Where decoding for a segment begins in the original. Serialised as `[pts, seek_us]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(i64, Option<i64>)", into = "(i64, Option<i64>)")]
pub struct Entry {
    /// Time of the segment's first frame in the original stream's time base.
    pub pts: i64,
    /// Where to seek before decoding, microseconds of the original's own clock; `None`: read from the
    /// beginning.
    pub seek_us: Option<i64>,
}

impl From<(i64, Option<i64>)> for Entry {
    fn from((pts, seek_us): (i64, Option<i64>)) -> Self {
        Self { pts, seek_us }
    }
}

impl From<Entry> for (i64, Option<i64>) {
    fn from(entry: Entry) -> Self {
        (entry.pts, entry.seek_us)
    }
}

/// A run of consecutive segments, each in every rung that is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Sequence of its first segment.
    pub first: u32,
    /// Sequence of the first segment after it; `None`: to the end of the film, wherever that is.
    pub end: Option<u32>,
}

/// The bound of a stretch as planned, ticks: 120 s. One that is lost costs at most so much work to anybody,
/// while each costs some 0.2 CPU seconds (measured) for its start.
pub const LONGEST: u64 = 120 * TICKS;

/// By how much sooner two workers must be done than one, ticks of film: 1 s, of which a core makes three rungs of 1080p in
/// 1.6 to 1.9 s. Starting another encoder costs some 0.2 CPU seconds (both measured).
pub const WORTH_TAKING: u64 = TICKS;

/// Decoding takes a fifth of the time that making three rungs of the same frames does (measured: 0.28 to 0.5 of 1.6
/// to 1.9 CPU seconds for a second of 1080p).
const DECODED: u64 = 5;

/// What `-force_key_frames` can carry, ticks.
const CARRIED: u64 = limits::MAX_STRETCH_SECONDS * TICKS;

/// Differences of less than this in what is decoded for nothing are not worth an uneven stretch,
/// microseconds: some 0.1 CPU seconds.
const NEAR: i64 = 300_000;

/// Where each segment of an exact grid begins in the original that `index` is of.
pub fn entries(grid: &Grid, index: &Index, time_base: Rational) -> Vec<Entry> {
    let mut frame = 0;
    let mut entries = Vec::with_capacity(grid.segments.len());
    for place in grid.all() {
        let pts = usize::try_from(frame).ok().and_then(|at| index.pts().get(at));
        let pts = pts.copied().unwrap_or_default();
        entries.push(Entry { pts, seek_us: seek(index, pts, time_base) });
        frame += place.frames.unwrap_or(0);
    }
    entries
}

/// The same of a keyed grid whose first frame is at `start_pts`, for those segments of which the cues say that the film has
/// them: there is a key frame in them or behind them. Decoding begins before the [`Grid::lead`].
pub fn keyed_entries(grid: &Grid, cues: &Cues, start_pts: i64, time_base: Rational) -> Vec<Entry> {
    let from_start = |ticks: u64| {
        let scaled = i128::from(ticks) * i128::from(time_base.den());
        let unit = i128::from(time_base.num()) * i128::from(TICKS);
        let whole = scaled.div_euclid(unit) + i128::from(scaled.rem_euclid(unit) != 0);
        i64::try_from(whole).ok().and_then(|units| start_pts.checked_add(units))
    };
    let first = cues.first();
    let entry = |(pts, lead)| {
        let key = cues.before(lead).filter(|key| Some(*key) != first);
        Entry { pts, seek_us: key.and_then(|key| micros(key, time_base)) }
    };
    let begins = grid.all().map_while(|place| {
        Some((from_start(place.start)?, from_start(place.start.saturating_sub(grid.lead()))?))
    });
    begins.take_while(|(pts, _)| cues.last() >= Some(*pts)).map(entry).collect()
}

/// First segments of stretches of at most `longest` ticks (one segment at least) and, where the film allows, at
/// least half of it. A joint is the cut with the shortest way from a key frame of the original, because all
/// frames between are decoded for nothing; the last of those that are equal.
pub fn joints(grid: &Grid, entries: &[Entry], time_base: Rational, longest: u64) -> Vec<u32> {
    let longest = longest.min(CARRIED);
    let mut joints = vec![0];
    let mut first = 0;
    while let Some(from) = grid.segment(first) {
        if grid.duration - from.start <= longest {
            break;
        }
        let cuts = grid.all().skip(first as usize + 1);
        let near = cuts.take_while(|cut| cut.start - from.start <= longest);
        let joint = best(
            near.map(|cut| (cut.sequence, cut.start - from.start)),
            |sequence, far| {
                far * 2 >= longest && preroll_us(entries, sequence, time_base).is_some()
            },
            |sequence| preroll_us(entries, sequence, time_base).unwrap_or(i64::MAX),
        );
        // A segment that is longer than a stretch may be is one by itself.
        let joint = joint.unwrap_or(first + 1);
        if joint as usize >= entries.len() {
            break;
        }
        joints.push(joint);
        first = joint;
    }
    joints
}

/// How far a stretch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// Sequence of the first segment that some rung lacks: it is being made.
    pub reached: u32,
    /// Sequence of the first segment behind all that any rung has.
    pub free: u32,
    /// Sequence of the first segment after it.
    pub end: u32,
}

/// Where another worker takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joint {
    /// Sequence of the first segment that it makes.
    pub at: u32,
    /// By how much sooner both are done than one, ticks of film.
    pub wins: u64,
}

/// The cut at which another worker takes over what is left of a stretch: the one with which both together are done soonest. The
/// frames before it that the other one decodes for nothing count. `None` when that is not sooner than one alone.
pub fn middle(grid: &Grid, entries: &[Entry], time_base: Rational, rest: Rest) -> Option<Joint> {
    let Rest { reached, free, end } = rest;
    let start = |sequence| grid.segment(sequence).map_or(grid.duration, |place| place.start);
    // On average half of the one at hand is done.
    let now = start(reached).midpoint(start(reached.saturating_add(1)));
    let end_at = start(end);
    let done = |cut: u32| {
        let preroll = u64::try_from(preroll_us(entries, cut, time_base)?).ok()?;
        let decoding = preroll.saturating_mul(TICKS) / 1_000_000 / DECODED;
        let theirs = end_at.checked_sub(start(cut))? + decoding;
        Some((theirs.max(start(cut).saturating_sub(now)), cut))
    };
    let first = free.max(reached.saturating_add(1));
    let cuts = (first..end).filter(|cut| grid.segment(*cut).is_some());
    let (soonest, at) = cuts.filter_map(done).min()?;
    let wins = end_at.saturating_sub(now).checked_sub(soonest)?;
    Some(Joint { at, wins })
}

/// Of candidates with their distance, the last of those with the least cost (in steps of [`NEAR`]) among the
/// `good` ones; else the last of all.
fn best(
    candidates: impl Iterator<Item = (u32, u64)>,
    good: impl Fn(u32, u64) -> bool,
    cost: impl Fn(u32) -> i64,
) -> Option<u32> {
    let mut last = None;
    let mut best: Option<(i64, u32)> = None;
    for (sequence, far) in candidates {
        last = Some(sequence);
        if good(sequence, far) {
            let cost = cost(sequence) / NEAR;
            if best.is_none_or(|(least, _)| cost <= least) {
                best = Some((cost, sequence));
            }
        }
    }
    best.map(|(_, sequence)| sequence).or(last)
}

/// How much is decoded for nothing before a segment, microseconds.
fn preroll_us(entries: &[Entry], sequence: u32, time_base: Rational) -> Option<i64> {
    let entry = entries.get(usize::try_from(sequence).ok()?)?;
    let us = |pts: i64| time_base.scale(pts, 1_000_000);
    let from = entry.seek_us.or(entries.first().map(|first| us(first.pts)))?;
    Some(us(entry.pts).saturating_sub(from).max(0))
}

/// The key frame at or before, unless it is the first: rounded up to the microsecond, because rounding down
/// would land on the key before and a tick more on the one after where key frames are adjacent.
fn seek(index: &Index, start_pts: i64, time_base: Rational) -> Option<i64> {
    let key = index.key_before(start_pts)?;
    if Some(key) == index.first_key() {
        return None;
    }
    micros(key, time_base)
}

/// Microseconds, rounded up.
fn micros(key: i64, time_base: Rational) -> Option<i64> {
    let scaled = i128::from(key) * i128::from(time_base.num()) * 1_000_000;
    let den = i128::from(time_base.den());
    i64::try_from(scaled.div_euclid(den) + i128::from(scaled.rem_euclid(den) != 0)).ok()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;
    use crate::index::Packet;

    fn film(frames: i64, key_every: i64) -> (Grid, Vec<Entry>, Rational) {
        let rate = Rational::whole(25);
        let packets = (0..frames).map(|frame| Packet {
            pts: frame * 512,
            size: 0,
            key: frame % key_every == 0,
            discard: false,
        });
        let index = Index::new(packets).unwrap();
        let time_base = Rational::new(1, 12_800).unwrap();
        let times = index.pts().iter().map(|pts| time_base.scale(*pts, TICKS) as u64);
        let grid = Grid::exact(times, rate).unwrap();
        let entries = entries(&grid, &index, time_base);
        (grid, entries, time_base)
    }

    #[test]
    fn ten_minutes_with_a_key_frame_each_ten_seconds() {
        let (grid, entries, time_base) = film(25 * 600, 250);
        let joints = joints(&grid, &entries, time_base, LONGEST);
        let told: Vec<_> = joints
            .iter()
            .map(|joint| {
                let start = grid.segment(*joint).unwrap().start / TICKS;
                (start, preroll_us(&entries, *joint, time_base).unwrap() / 1000)
            })
            .collect();
        expect!["[(0, 0), (100, 0), (220, 0), (340, 0), (460, 0), (580, 0)]"]
            .assert_eq(&format!("{told:?}"));
    }

    /// By segments of 6 s: where it is cut, and how many seconds that wins.
    fn halves(key_every: i64, rests: &[(u32, u32, u32)]) -> String {
        let (grid, entries, time_base) = film(25 * 600, key_every);
        let told = rests.iter().map(|(reached, free, end)| {
            let rest = Rest { reached: *reached, free: *free, end: *end };
            middle(&grid, &entries, time_base, rest)
                .map(|joint| (joint.at, joint.wins as f64 / TICKS as f64))
        });
        format!("{:?}", told.collect::<Vec<_>>())
    }

    #[test]
    fn who_takes_over_takes_half_of_the_time() {
        let ends = [42, 30, 26, 25, 24, 23].map(|end| (22, 22, end));
        expect!["[Some((32, 56.6)), Some((26, 19.8)), Some((24, 8.2)), Some((24, 6.0)), Some((23, 1.4)), None]"]
            .assert_eq(&halves(250, &ends));
        // A rung is ahead of the others.
        expect!["[Some((24, 6.0)), None]"].assert_eq(&halves(250, &[(22, 24, 25), (22, 25, 25)]));
        // A key frame each 60 s: what is decoded for nothing is worth less of the rest.
        let ends = [30, 36, 42].map(|end| (22, 22, end));
        expect!["[Some((27, 18.0)), Some((30, 36.0)), Some((33, 51.4))]"]
            .assert_eq(&halves(1500, &ends));
    }

    proptest! {
        #![proptest_config(crate::same_cases(400))]

        #[test]
        fn stretches_tile_the_film(
            frames in 1i64..6000, key_every in 1i64..400, longest in 1u64..300,
        ) {
            let (grid, entries, time_base) = film(frames, key_every);
            let longest = longest * TICKS;
            let joints = joints(&grid, &entries, time_base, longest);
            prop_assert_eq!(joints[0], 0);
            prop_assert_eq!(entries.len(), grid.segments.len());
            for (at, joint) in joints.iter().enumerate() {
                let end = joints.get(at + 1).copied().unwrap_or(grid.n_segments());
                prop_assert!(end > *joint);
                let start = grid.segment(*joint).unwrap().start;
                let to = grid.segment(end).map_or(grid.duration, |place| place.start);
                prop_assert!(to - start <= longest || end - joint == 1);
                prop_assert!(preroll_us(&entries, *joint, time_base).unwrap() >= 0);
            }
        }

        #[test]
        fn the_middle_lies_between(frames in 1i64..6000, from in 0u32..40, free in 0u32..40, end in 0u32..40) {
            let (grid, entries, time_base) = film(frames, 100);
            let rest = Rest { reached: from, free, end };
            if let Some(joint) = middle(&grid, &entries, time_base, rest) {
                prop_assert!(joint.at > from && joint.at >= free && joint.at < end);
            } else {
                prop_assert!(end < free.max(from) + 3 || grid.n_segments() <= end);
            }
        }
    }
}
