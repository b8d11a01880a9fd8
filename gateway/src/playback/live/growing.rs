//! A video at one moment of its growth: which rungs are listed, and up to which cut they are shown.

use reelpin_plan::Plan;
use reelpin_schema::db::{DbError, Tx};
use reelpin_schema::segment::Segment;
use reelpin_schema::transcode::{self, Format, Transcode};
use reelpin_schema::video::{self, Status};
use uuid::Uuid;

use crate::video::{facts, record};

/// By how much a segment of sound can end before its cut, ticks: one AAC frame of 1024 samples at 48 kHz.
const AUDIO_FRAME: u64 = 1920;

/// What playlists show.
pub(super) struct Growing {
    pub(super) plan: Plan,
    pub(super) rows: Vec<Transcode>,
    /// Nothing will be added to any rendition, for whatever reason.
    over: bool,
    /// Somebody may be watching, whatever is stored now.
    was_playable: bool,
    /// The cut up to which everything listed is stored, ticks; `None`: all of it is whole.
    edge: Option<u64>,
}

impl Growing {
    /// `None` for a video without a plan.
    pub(super) async fn read(tx: &Tx, id: Uuid) -> Result<Option<Self>, DbError> {
        let Some(video) = video::get(tx, id).await? else { return Ok(None) };
        let Some(plan) = facts::plan(&video)? else { return Ok(None) };
        let rows = transcode::of_video(tx, id).await?;
        let reach = transcode::reach(tx, id).await?;
        let over = video.status.is_ended();
        let was_playable = video.status == Status::Playable;
        let reaches = |row: &Transcode| {
            let reached = reach.iter().find(|reach| reach.id == row.id).map_or(0, |reach| {
                if !over && may_be_last(&plan, row) { reach.before } else { reach.end }
            });
            // Without an index sound is cut at the earliest that a frame could be, half of one before the picture.
            let short = AUDIO_FRAME + if plan.grid.exact { 0 } else { plan.grid.slack };
            if row.is_audio() && reached > 0 { reached + short } else { reached }
        };
        let growing = rows.iter().filter(|row| is_listed(row) && !is_whole(&plan, row));
        let edge = growing.map(reaches).min();
        Ok(Some(Self { plan, edge, over, was_playable, rows }))
    }

    /// Whether there is something to list.
    pub(super) fn can_play(&self) -> bool {
        record::can_play(&self.rows)
    }

    /// Whether there was something to list, and will be again: a part of it is made anew.
    pub(super) fn is_made_anew(&self) -> bool {
        self.was_playable && !self.can_play()
    }

    /// Whether this rendition has a playlist; one that is not planned is not waited for.
    pub(super) fn has(&self, resolution: &str) -> bool {
        self.row(resolution).is_none_or(|row| self.can_play() && is_listed(row))
    }

    /// An HLS rendition.
    pub(super) fn row(&self, resolution: &str) -> Option<&Transcode> {
        let mut hls = self.rows.iter().filter(|row| row.format == Format::Hls);
        hls.find(|row| row.resolution == resolution)
    }

    /// The renditions that the master lists.
    pub(super) fn listed(&self) -> impl Iterator<Item = &Transcode> {
        self.rows.iter().filter(|row| is_listed(row))
    }

    /// The segments of a listed rendition that may be shown, and whether these are all it will have: without a
    /// hole, and none beyond the cut that all others have reached, because a player that changes to one that is
    /// behind would stand still.
    pub(super) fn shown<'a>(
        &self,
        row: &Transcode,
        segments: &'a [Segment],
    ) -> (&'a [Segment], bool) {
        let mut end = 0;
        let shown = segments
            .iter()
            .enumerate()
            .take(row.prefix as usize)
            .take_while(|(at, segment)| {
                end += segment.duration_ticks;
                segment.sequence as usize == *at && self.edge.is_none_or(|edge| end <= edge)
            })
            .count();
        let all = is_whole(&self.plan, row) && shown == row.prefix as usize;
        (segments.get(..shown).unwrap_or_default(), self.over || all)
    }
}

/// Whether nothing is left to store of a rendition. Of a rung in an exact grid its segments tell, before its task
/// has ended; sound may end before the picture.
fn is_whole(plan: &Plan, row: &Transcode) -> bool {
    let counted = plan.grid.exact && !row.is_audio() && row.prefix >= plan.grid.n_segments();
    counted || row.stored_at.is_some()
}

/// Whether the newest segment of a growing rendition is perhaps its last. It is shown when that is known, with the
/// playlist's end: video.js 8.24 never ends a film whose last segment it has fetched before it saw the end, and
/// stands a frame before it (2026-11).
fn may_be_last(plan: &Plan, row: &Transcode) -> bool {
    row.prefix > 1 && (!plan.grid.exact || row.prefix >= plan.grid.n_segments())
}

fn is_listed(row: &Transcode) -> bool {
    row.format == Format::Hls && row.listed_at.is_some() && row.init_path.is_some()
}
