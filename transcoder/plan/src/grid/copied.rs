//! The grid of a film whose top rung is copied: segments begin where the original has key frames, and every group of
//! the original is divided into GOPs of about 2 s for the rungs that are encoded.

use super::{FIRST, GOP_SECONDS, Gop, Grid, LATER, SECOND, frame_ticks};
use crate::{Rational, TICKS};

impl Grid {
    /// From the times of all frames and of the key frames among them, ticks, rising from 0. `None` as in
    /// [`Grid::exact`], and if there is a key frame between two frames.
    pub fn of_groups(
        times: impl IntoIterator<Item = u64>,
        keys: &[u64],
        rate: Rational,
    ) -> Option<Self> {
        let times: Vec<u64> = times.into_iter().collect();
        let rising = times.iter().zip(times.iter().skip(1)).all(|(one, next)| one < next);
        if !rising || keys.first() != Some(&0) || times.first() != Some(&0) {
            return None;
        }
        let mut grid = Self::empty(rate);
        grid.exact = true;
        grid.duration = times.last()? + frame_ticks(rate);
        for (at, key) in keys.iter().enumerate() {
            let end = keys.get(at + 1).copied().unwrap_or(grid.duration);
            let frames =
                times.partition_point(|time| time < key)..times.partition_point(|time| *time < end);
            let frames = times.get(frames)?;
            if frames.first() != Some(key) {
                return None;
            }
            grid.groups.push(u32::try_from(grid.gops.len()).ok()?);
            grid.divide(frames, *key, end);
        }
        grid.group_segments(keys);
        Some(grid)
    }

    /// Divides a group into equal GOPs of about 2 s.
    fn divide(&mut self, frames: &[u64], start: u64, end: u64) {
        let seconds = (end - start) as f64 / TICKS as f64;
        let parts = (seconds / GOP_SECONDS).round().max(1.0) as u64;
        let mut part = None;
        for time in frames {
            let here = (time - start + self.slack) * parts / (end - start).max(1);
            let here = here.min(parts - 1);
            match self.gops.last_mut() {
                Some(gop) if part == Some(here) => gop.frames += 1,
                _ => self.gops.push(Gop { start: *time, frames: 1 }),
            }
            part = Some(here);
        }
    }

    /// Segments of whole groups, each as near to its nominal length as they allow.
    fn group_segments(&mut self, keys: &[u64]) {
        let mut start = 0;
        self.segments.push(0);
        for (at, key) in keys.iter().enumerate().skip(1) {
            let number = self.segments.len() as u64 - 1;
            let seconds = match number {
                number if number < FIRST.0 => FIRST.1,
                number if number < FIRST.0 + SECOND.0 => SECOND.1,
                _ => LATER,
            };
            let want = (seconds * TICKS as f64) as u64;
            let next = keys.get(at + 1).copied().unwrap_or(self.duration);
            let (here, there) = ((key - start).abs_diff(want), (next - start).abs_diff(want));
            if (key - start) + self.slack >= want || here <= there {
                start = *key;
                self.segments.extend(self.groups.get(at).copied());
            }
        }
        self.join_short_tail();
    }

    /// The same segments with the original's groups as GOPs: what comes out of a copy.
    #[must_use]
    pub fn as_copied(&self) -> Self {
        let end = u32::try_from(self.gops.len()).unwrap_or(u32::MAX);
        let ends = self.groups.iter().skip(1).copied().chain([end]);
        let gops = self.groups.iter().zip(ends).filter_map(|(from, to)| {
            let gops = self.gops.get(*from as usize..to as usize)?;
            let frames = gops.iter().map(|gop| gop.frames).sum();
            Some(Gop { start: gops.first()?.start, frames })
        });
        let place = |gop: &u32| u32::try_from(self.groups.partition_point(|group| group < gop));
        let segments = self.segments.iter().filter_map(|gop| place(gop).ok()).collect();
        Self { gops: gops.collect(), segments, groups: Vec::new(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;

    fn film(frames: u64, every: impl Fn(u64) -> bool) -> (Vec<u64>, Vec<u64>) {
        let times: Vec<u64> = (0..frames).map(|frame| frame * 3600).collect();
        let keys = (0..frames).filter(|frame| every(*frame)).map(|frame| frame * 3600).collect();
        (times, keys)
    }

    #[test]
    fn keys_at_times_that_people_use() {
        let mut table = String::new();
        for seconds in [1, 2, 3, 4, 5, 9] {
            let (times, keys) = film(40 * 25, |frame| frame % (25 * seconds) == 0);
            let grid = Grid::of_groups(times, &keys, Rational::whole(25)).unwrap();
            let lengths: Vec<u64> = grid.all().map(|place| place.duration / TICKS).collect();
            table.push_str(&format!("{seconds} s: {lengths:?}, {} GOPs\n", grid.gops.len()));
        }
        expect![[r#"
            1 s: [2, 2, 2, 2, 4, 4, 6, 6, 6, 6], 40 GOPs
            2 s: [2, 2, 2, 2, 4, 4, 6, 6, 6, 6], 20 GOPs
            3 s: [3, 3, 3, 3, 3, 3, 6, 6, 6, 4], 27 GOPs
            4 s: [4, 4, 4, 4, 4, 4, 4, 4, 4, 4], 20 GOPs
            5 s: [5, 5, 5, 5, 5, 5, 5, 5], 24 GOPs
            9 s: [9, 9, 9, 9, 4], 22 GOPs
        "#]]
        .assert_eq(&table);
    }

    proptest! {
        #![proptest_config(crate::same_cases(300))]

        #[test]
        fn groups_tile_the_film(frames in 1u64..2000, seed in prop::collection::vec(1u64..120, 1..60)) {
            let mut at = 0;
            let starts: Vec<u64> = std::iter::once(0)
                .chain(seed.iter().cycle().map(|step| { at += step; at }).take(200))
                .collect();
            let (times, keys) = film(frames, |frame| starts.contains(&frame));
            let grid = Grid::of_groups(times, &keys, Rational::whole(25)).unwrap();
            prop_assert_eq!(grid.gops.iter().map(|gop| u64::from(gop.frames)).sum::<u64>(), frames);
            let copied = grid.as_copied();
            prop_assert_eq!(copied.gops.len(), keys.len());
            prop_assert_eq!(copied.n_segments(), grid.n_segments());
            for (one, other) in grid.all().zip(copied.all()) {
                prop_assert_eq!((one.start, one.duration, one.frames), (other.start, other.duration, other.frames));
                prop_assert!(keys.contains(&one.start));
            }
        }
    }
}
