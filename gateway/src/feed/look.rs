//! What the hub reads for all sockets: the new events of watched videos, and of all.

use std::collections::BTreeMap;
use std::sync::Arc;

use reelpin_schema::db::{Db, DbError, Tx};
use reelpin_schema::{event, video};
use uuid::Uuid;

use super::seat::{Frame, Placed};

/// The most events of a video, or of all, that one look reads; the rest comes with the next.
pub(super) const EVENTS: i64 = 200;

/// The most videos in one statement.
const IDS: usize = 2000;

/// What a look is to ask for.
pub(super) struct Wanted {
    /// Videos, and the last event that is known of each.
    pub(super) videos: Vec<(Uuid, Option<i64>)>,
    /// Whether the order of all events is asked for, and the last position that is known.
    pub(super) all: Option<Known>,
}

/// The last position that is known; `None` before the first look.
pub(super) struct Known(pub(super) Option<i64>);

/// What a look found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) videos: Vec<FoundVideo>,
    pub(super) all: Option<FoundAll>,
}

/// What a look found of a video.
pub(super) struct FoundVideo {
    pub(super) video: Uuid,
    pub(super) last: i64,
    /// Those after what was known, when something was known.
    pub(super) frames: Arc<[Frame]>,
    /// There are more than one look reads.
    pub(super) more: bool,
}

/// What a look found in the order of all events.
pub(super) struct FoundAll {
    pub(super) since: i64,
    pub(super) last: i64,
    /// Those after `since`.
    pub(super) frames: Arc<[Placed]>,
    /// There may be more.
    pub(super) more: bool,
}

/// Reads what is new: one statement for all videos, one for each that changed, and one for the
/// order of all events.
pub(super) async fn look(db: Db, wanted: Wanted) -> Result<Found, DbError> {
    let mut found = Found::default();
    for part in wanted.videos.chunks(IDS) {
        let part = part.to_vec();
        let more = db.run_tx("feed.look", async move |tx| videos(tx, &part).await).await?;
        found.videos.extend(more);
    }
    if let Some(Known(since)) = wanted.all {
        let look = async move |tx: &Tx| all(tx, since).await;
        found.all = Some(db.run_tx("feed.look_all", look).await?);
    }
    Ok(found)
}

async fn videos(tx: &Tx, wanted: &[(Uuid, Option<i64>)]) -> Result<Vec<FoundVideo>, DbError> {
    let known: BTreeMap<Uuid, Option<i64>> = wanted.iter().copied().collect();
    let ids: Vec<Uuid> = known.keys().copied().collect();
    let mut stored = video::last_events(tx, &ids).await?;
    stored.sort_unstable();
    let mut found = Vec::new();
    for (video, stored) in stored {
        let Some(since) = known.get(&video).copied().flatten() else {
            found.push(FoundVideo { video, last: stored, frames: Arc::default(), more: false });
            continue;
        };
        if stored <= since {
            continue;
        }
        let events = event::since(tx, video, since, EVENTS).await?;
        let last = events.last().map_or(stored, |event| event.seq);
        let frames = events.iter().map(|event| Frame::new(video, event)).collect();
        found.push(FoundVideo { video, last, frames, more: last < stored });
    }
    Ok(found)
}

async fn all(tx: &Tx, since: Option<i64>) -> Result<FoundAll, DbError> {
    let Some(since) = since else {
        let last = event::positions(tx).await?.last;
        return Ok(FoundAll { since: last, last, frames: Arc::default(), more: false });
    };
    let events = event::after_position(tx, since, EVENTS).await?;
    let last = events.last().map_or(since, |event| event.position);
    let more = i64::try_from(events.len()).is_ok_and(|count| count >= EVENTS);
    Ok(FoundAll { since, last, frames: events.iter().map(Placed::new).collect(), more })
}
