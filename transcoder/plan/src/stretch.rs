//! Stretches: runs of segments that one ffmpeg makes, and how each finds its frames in the original.

use serde::{Deserialize, Serialize};

use crate::{Grid, Index, Rational, TICKS, limits};

/// One run of consecutive segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Its place among the video's stretches, from 0.
    pub number: u32,
    /// Sequence of its first segment.
    pub first_segment: u32,
    /// How many segments; an estimate in a nominal grid.
    pub segments: u32,
    /// Number of its first GOP.
    pub first_gop: u32,
    /// How many GOPs; 0 in a nominal grid.
    pub gops: u32,
    /// Frames before it.
    pub first_frame: u64,
    /// Frames in it; `None` in a nominal grid.
    pub frames: Option<u64>,
    /// Time of its first frame, ticks.
    pub start: u64,
    /// Time of its first frame in the original stream's time base.
    pub start_pts: i64,
    /// Time of the first frame after it, likewise; `None`: to the end.
    pub end_pts: Option<i64>,
    /// Where to seek in the original before decoding, microseconds of its own clock; `None`: read from
    /// the beginning.
    pub seek_us: Option<i64>,
}

/// The one stretch of a video without an index.
pub fn whole(grid: &Grid, start_pts: i64) -> Vec<Stretch> {
    vec![Stretch {
        number: 0,
        first_segment: 0,
        segments: grid.n_segments(),
        first_gop: 0,
        gops: 0,
        first_frame: 0,
        frames: None,
        start: 0,
        start_pts,
        end_pts: None,
        seek_us: None,
    }]
}

/// Stretches of at most `longest` ticks (one segment at least) over an exact grid made from `index`.
///
/// A joint is a cut of the grid; within the last tenth of a stretch it is the cut with the shortest way from
/// a key frame of the original, because all frames between are decoded for nothing.
pub fn split(grid: &Grid, index: &Index, time_base: Rational, longest: u64) -> Vec<Stretch> {
    let pts_of =
        |frame: u64| usize::try_from(frame).ok().and_then(|at| index.pts().get(at)).copied();
    let way = |frame: u64| {
        let at = pts_of(frame)?;
        Some(at.abs_diff(index.key_before(at)?))
    };
    let mut stretches = Vec::new();
    let mut from = Joint::default();
    while let Some(first) = grid.segment(from.segment) {
        let mut here = Joint { way: None, late: false, ..from };
        let mut best: Option<Joint> = None;
        for place in grid.all().skip(from.segment as usize) {
            let so_far = place.start - first.start;
            if so_far > 0 && (so_far <= longest || best.is_none()) {
                here.segment = place.sequence;
                here.way = way(here.frame);
                here.late = so_far >= longest / 10 * 9;
                if best.is_none_or(|best| !best.late || here.way <= best.way) {
                    best = Some(here);
                }
            }
            here.frame += place.frames.unwrap_or(0);
            here.gop += place.gops;
        }
        let end = Joint { segment: grid.n_segments(), ..here };
        let fits = grid.duration - first.start <= longest;
        let to = best.filter(|_| !fits).unwrap_or(end);
        let start_pts = pts_of(from.frame).unwrap_or(0);
        stretches.push(Stretch {
            number: u32::try_from(stretches.len()).unwrap_or(u32::MAX),
            first_segment: from.segment,
            segments: to.segment - from.segment,
            first_gop: from.gop,
            gops: to.gop - from.gop,
            first_frame: from.frame,
            frames: Some(to.frame - from.frame),
            start: first.start,
            start_pts,
            end_pts: pts_of(to.frame),
            seek_us: seek(index, start_pts, time_base),
        });
        from = to;
    }
    stretches
}

/// A cut where a stretch may end: the segment, GOP and frame after it.
#[derive(Clone, Copy, Default)]
struct Joint {
    segment: u32,
    gop: u32,
    frame: u64,
    /// From the last key frame of the original, in its time base.
    way: Option<u64>,
    /// Within the last tenth of what a stretch may last.
    late: bool,
}

/// The default bound of a stretch, ticks.
pub const LONGEST: u64 = limits::MAX_STRETCH_SECONDS * TICKS;

/// The key frame at or before, unless it is the first: rounded up to the microsecond, because rounding down
/// would land on the key before and a tick more on the one after where key frames are adjacent.
fn seek(index: &Index, start_pts: i64, time_base: Rational) -> Option<i64> {
    let key = index.key_before(start_pts)?;
    if Some(key) == index.first_key() {
        return None;
    }
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

    fn film(frames: i64, key_every: i64) -> (Grid, Index, Rational) {
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
        (Grid::exact(times, rate).unwrap(), index, time_base)
    }

    #[test]
    fn one_stretch_up_to_the_bound() {
        let (grid, index, time_base) = film(25 * 60, 250);
        let stretches = split(&grid, &index, time_base, LONGEST);
        expect![[r#"
            [
                Stretch {
                    number: 0,
                    first_segment: 0,
                    segments: 14,
                    first_gop: 0,
                    gops: 30,
                    first_frame: 0,
                    frames: Some(
                        1500,
                    ),
                    start: 0,
                    start_pts: 0,
                    end_pts: None,
                    seek_us: None,
                },
            ]
        "#]]
        .assert_debug_eq(&stretches);
    }

    #[test]
    fn joints_are_cuts_near_key_frames() {
        let (grid, index, time_base) = film(25 * 600, 240);
        for stretch in split(&grid, &index, time_base, 200 * TICKS) {
            let preroll = stretch.seek_us.unwrap_or(0);
            let start = stretch.start as i64 * 100 / 9;
            assert!(start - preroll <= 4_000_000, "{stretch:?}");
        }
    }

    proptest! {
        #![proptest_config(crate::same_cases(400))]

        #[test]
        fn stretches_tile_the_film(
            frames in 1i64..6000, key_every in 1i64..400, longest in 1u64..300,
        ) {
            let (grid, index, time_base) = film(frames, key_every);
            let longest = longest * TICKS;
            let stretches = split(&grid, &index, time_base, longest);
            let (mut segment, mut frame, mut gop) = (0, 0, 0);
            let mut start_pts = Some(0);
            for stretch in &stretches {
                prop_assert_eq!(stretch.first_segment, segment);
                prop_assert_eq!(stretch.first_frame, frame);
                prop_assert_eq!(stretch.first_gop, gop);
                prop_assert_eq!(Some(stretch.start_pts), start_pts);
                prop_assert!(stretch.segments > 0);
                prop_assert!(stretch.seek_us.unwrap_or(0) <= stretch.start as i64 * 100 / 9 + 1);
                segment += stretch.segments;
                frame += stretch.frames.unwrap();
                gop += stretch.gops;
                start_pts = stretch.end_pts;
                let end = grid.segment(segment).map_or(grid.duration, |place| place.start);
                prop_assert!(end - stretch.start <= longest || stretch.segments == 1);
            }
            prop_assert_eq!(start_pts, None);
            prop_assert_eq!(segment, grid.n_segments());
            prop_assert_eq!(frame, frames as u64);
            prop_assert_eq!(gop as usize, grid.gops.len());
        }
    }
}
