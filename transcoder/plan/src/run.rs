//! Runs: what one ffmpeg encodes. Each rung has a first segment of its own, so that nothing is made twice: not what
//! the starter made, nor what an attempt stored that was interrupted.

use crate::plan::VideoPlan;
use crate::{Grid, Stretch};

/// One run of ffmpeg over a part of a film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What is made, lowest rung first; at least one.
    pub parts: Vec<Part>,
    /// Sequence of the first segment that no part makes; `None`: to the end of the film.
    pub end: Option<u32>,
}

/// One rung of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Number of the rung in the plan.
    pub rung: usize,
    /// Sequence of its first segment in this run.
    pub first: u32,
}

impl Run {
    /// Sequence of the first segment of any rung: decoding begins there.
    pub fn first(&self) -> u32 {
        self.parts.iter().map(|part| part.first).min().unwrap_or(0)
    }

    /// What makes a film playable soonest: the first segment of the lowest rung alone. `None` where it is not known
    /// where that ends, or where that segment is the whole film, which its stretch makes as fast.
    pub fn starter(grid: &Grid, video: &VideoPlan) -> Option<Self> {
        let encoded = video.rungs.first().is_some_and(|lowest| !lowest.copy);
        (encoded && grid.is_divisible() && grid.n_segments() > 1)
            .then(|| Self { parts: vec![Part { rung: 0, first: 0 }], end: Some(1) })
    }

    /// What is left of a stretch. `stored(rung)` is how many of its segments a rung has, from the stretch's first on
    /// without a hole. `None` when nothing is left. What has no end but the film's always has its last segment left, because
    /// nobody knows whether it is the last.
    pub fn rest(
        video: &VideoPlan,
        stretch: Stretch,
        stored: impl Fn(usize) -> u32,
    ) -> Option<Self> {
        let encoded = video.rungs.iter().enumerate().filter(|(_, rung)| !rung.copy);
        // Behind the last entry nobody knows where to begin.
        let last = u32::try_from(video.entries.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let parts: Vec<Part> = encoded
            .map(|(rung, _)| {
                let next = stretch.first.saturating_add(stored(rung));
                let first = match stretch.end {
                    Some(_) => next,
                    None => next.saturating_sub(1).min(last).max(stretch.first),
                };
                Part { rung, first }
            })
            .filter(|part| stretch.end.is_none_or(|end| part.first < end))
            .collect();
        (!parts.is_empty()).then_some(Self { parts, end: stretch.end })
    }
}
