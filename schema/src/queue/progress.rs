//! How far a video is, as feeds are told and as the API answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::transcode;

/// How far a video's segments are. Ephemeral: it is never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Of all its segments, 0 to 99; completion is an event.
    pub percent: u8,
    /// Of each rung's, 0 to 100.
    pub rungs: BTreeMap<String, u8>,
}

impl Progress {
    /// How far a video is whose renditions have `planned` segments each and `stored` of them, by
    /// resolution. The sound counts in the percentage, but is no rung. Of all it never says 100: a
    /// film without an index can turn out longer than planned, so nothing but the end is the end.
    pub fn of(planned: u32, stored: &[(String, i64)]) -> Self {
        let percent = |stored: i64, planned: i64| {
            u8::try_from((stored.max(0) * 100 / planned.max(1)).min(100)).unwrap_or(100)
        };
        let planned = i64::from(planned);
        let rungs = stored
            .iter()
            .filter(|(name, _)| name != transcode::AUDIO)
            .map(|(name, stored)| (name.clone(), percent(*stored, planned)))
            .collect();
        let all: i64 = stored.iter().map(|(_, stored)| (*stored).min(planned)).sum();
        let renditions = i64::try_from(stored.len()).unwrap_or(i64::MAX);
        Self { percent: percent(all, planned.saturating_mul(renditions)).min(99), rungs }
    }
}
