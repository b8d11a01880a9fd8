//! Cues: key frames of the picture as Matroska's own list for seeking tells them. Of a file that is too large for
//! every block to be looked at they say where decoding can begin, but not which frames there are.

/// Times of key frames, milliseconds of the original's clock, which are the units of its stream; rising, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cues(Vec<i64>);

impl Cues {
    /// From times in any order. `None` without any.
    pub fn new(times: impl IntoIterator<Item = i64>) -> Option<Self> {
        let mut times: Vec<i64> = times.into_iter().collect();
        times.sort_unstable();
        times.dedup();
        (!times.is_empty()).then_some(Self(times))
    }

    /// All of them.
    pub fn times(&self) -> &[i64] {
        &self.0
    }

    /// The last one at or before `pts`.
    pub fn before(&self, pts: i64) -> Option<i64> {
        let after = self.0.partition_point(|time| *time <= pts);
        self.0.get(after.checked_sub(1)?).copied()
    }

    /// The first of all.
    pub fn first(&self) -> Option<i64> {
        self.0.first().copied()
    }

    /// The last of all: the picture goes on at least until then.
    pub fn last(&self) -> Option<i64> {
        self.0.last().copied()
    }
}
