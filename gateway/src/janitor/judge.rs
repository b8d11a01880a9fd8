//! Which objects of the bucket nobody needs. No IO: rows and listings come in, reasons come out.
//!
//! Whatever is judged needless stays so: an attempt that is closed never comes back, an upload that
//! ended is never asked for again, and ids are not used twice. So it does no harm to remove an object
//! long after it was judged, or twice, or by two janitors; only what the judgement was built on must be
//! read in this order: the listing first, then the rows. A key that was listed before its row was
//! committed is then of an attempt that still counts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration as Length;

use reelpin_schema::bucket::{Listed, STORE};
use reelpin_schema::keys::{self, Use};
use reelpin_schema::task::LEASE;
use reelpin_schema::video::{Named, Status};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How long after its attempt was closed an object may still be stored: its worker goes on for a lease
/// at most, and a PUT may be under way for [`STORE`].
const SETTLED: Length = Length::from_secs(60 * 60);
const _: () = assert!(SETTLED.as_secs() > STORE.as_secs() + LEASE.as_secs());

/// How long after its ticket ended an upload may still arrive: 5 GiB at 0.5 MB/s.
const LATE_UPLOAD: Duration = Duration::hours(3);

/// The age from which an object goes that nothing is known of.
const UNKNOWN: Duration = Duration::days(1);

/// Why an object is not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// Its attempt ended without a row that names it.
    Attempt,
    /// No row names it, and no attempt that is known wrote it.
    Unnamed,
    /// Its video was deleted.
    Deleted,
    /// Its upload came too late, or to a video that had ended.
    Ended,
    /// Another copy of the original is the one that counts.
    Copy,
    /// There is no such video.
    NoVideo,
    /// Something was tried with it.
    Scratch,
}

impl Reason {
    /// In words.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Attempt => "its attempt ended without it",
            Self::Unnamed => "nothing names it, nor who wrote it",
            Self::Deleted => "its video was deleted",
            Self::Ended => "its video had ended before it came",
            Self::Copy => "another copy of the original counts",
            Self::NoVideo => "there is no such video",
            Self::Scratch => "a trial that was not cleaned up",
        }
    }
}

/// What the rows say about a page of objects.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// The database's clock when they were read.
    pub(super) now: OffsetDateTime,
    /// The videos that are there.
    pub(super) videos: BTreeMap<Uuid, Named>,
    /// Keys that a row names.
    pub(super) named: BTreeSet<String>,
}

/// The videos that a page of objects belongs to.
pub(super) fn videos(page: &[Listed]) -> Vec<Uuid> {
    let ids = page.iter().filter_map(|object| match keys::parse(&object.key)? {
        Use::Original(video) | Use::Media { video, .. } => Some(video),
        Use::Scratch => None,
    });
    ids.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Why an object is not needed; `None` when it is, or may be, or is none of ours.
pub(super) fn needless(object: &Listed, facts: &Facts) -> Option<Reason> {
    let old = object.modified.is_some_and(|modified| facts.now - modified > UNKNOWN);
    match keys::parse(&object.key)? {
        Use::Scratch => old.then_some(Reason::Scratch),
        Use::Original(id) | Use::Media { video: id, .. } if !facts.videos.contains_key(&id) => {
            old.then_some(Reason::NoVideo)
        }
        Use::Original(id) => original(&object.key, facts.videos.get(&id)?, facts.now),
        Use::Media { .. } if facts.named.contains(&object.key) => None,
        Use::Media { video, attempt } => {
            let video = facts.videos.get(&video)?;
            let wrote = |wrote: &&(String, _)| attempt == Some(wrote.0.as_str());
            let mut known = video.attempts.iter().filter(wrote).peekable();
            if known.peek().is_none() {
                return old.then_some(Reason::Unnamed);
            }
            let settled = |closed: Option<OffsetDateTime>| {
                closed.is_some_and(|closed| facts.now - closed > SETTLED)
            };
            let reason =
                if video.status == Status::Deleted { Reason::Deleted } else { Reason::Attempt };
            known.all(|(_, closed)| settled(*closed)).then_some(reason)
        }
    }
}

fn original(key: &str, video: &Named, now: OffsetDateTime) -> Option<Reason> {
    let counts = video.uploaded && video.original == key;
    let reason = match video.status {
        Status::Deleted => return Some(Reason::Deleted),
        Status::Pending => return None,
        _ if counts => return None,
        _ if video.uploaded => Reason::Copy,
        Status::Failed | Status::Cancelled => Reason::Ended,
        // An original that was never found is that of a video that never went on.
        Status::Uploaded | Status::Processing | Status::Playable | Status::Completed => {
            return None;
        }
    };
    (now - video.ticket_until > LATE_UPLOAD).then_some(reason)
}

#[cfg(test)]
mod tests;
