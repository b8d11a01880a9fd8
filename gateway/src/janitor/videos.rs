//! What goes of the rows of videos: finished tasks, and old tombstones.

use reelpin_schema::db::DbError;
use reelpin_schema::video::{self, Ended};
use reelpin_schema::{keys, lease};
use uuid::Uuid;

use super::report::{Report, Thing};
use super::{Janitor, JanitorError, LEASE, Mode, NAME};

/// Videos of a page.
const PAGE: i64 = 100;

/// The most rows that one transaction removes.
const ROWS: i64 = 500;

/// The most transactions that one video gets in a walk.
const PARTS: usize = 50;

impl Janitor {
    /// Tidies up a page of videos, those after `after`. Returns the last of it; `None` at the end.
    pub(super) async fn look_at_videos(
        &self,
        after: Option<&str>,
        report: &mut Report,
    ) -> Result<Option<String>, JanitorError> {
        let after = after.and_then(|after| after.parse().ok()).unwrap_or(Uuid::nil());
        let page = self
            .engines
            .db
            .run_tx("janitor.videos", async move |tx| video::ended(tx, after, PAGE).await)
            .await?;
        for video in &page {
            if video.tasks > 0 {
                self.remove_tasks(video, report).await?;
            }
            if video.tombstone && self.holds_nothing(video.id).await? {
                self.forget(video.id, report).await?;
            }
        }
        Ok(page.last().map(|last| last.id.to_string()))
    }

    async fn remove_tasks(&self, video: &Ended, report: &mut Report) -> Result<(), JanitorError> {
        let (token, id) = (self.token, video.id);
        let mut removed = video.tasks.unsigned_abs();
        if self.mode == Mode::Wet {
            removed = 0;
            for _ in 0..PARTS {
                let part = self
                    .engines
                    .db
                    .run_tx("janitor.tasks", async move |tx| {
                        if !lease::hold(tx, NAME, token, LEASE).await? {
                            return Ok(0);
                        }
                        video::remove_tasks(tx, id, ROWS).await
                    })
                    .await?;
                removed += part;
                if part < ROWS.unsigned_abs() {
                    break;
                }
            }
        }
        if removed > 0 {
            let thing = Thing::Tasks { video: id, count: removed };
            report.add(thing, "they are finished, and their video ended a week ago");
        }
        Ok(())
    }

    async fn holds_nothing(&self, id: Uuid) -> Result<bool, JanitorError> {
        for prefix in [keys::media(id), keys::originals(id)] {
            if !self.engines.bucket.list(&prefix, None).await?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn forget(&self, id: Uuid, report: &mut Report) -> Result<(), JanitorError> {
        let token = self.token;
        if self.mode == Mode::Wet {
            for part in 1.. {
                let more = self
                    .engines
                    .db
                    .run_tx("janitor.forget", async move |tx| {
                        if !lease::hold(tx, NAME, token, LEASE).await? {
                            return Ok::<_, DbError>(None);
                        }
                        Ok(Some(video::forget(tx, id, ROWS).await?))
                    })
                    .await?;
                match more {
                    Some(true) if part < PARTS => {}
                    Some(false) => break,
                    // The next walk goes on.
                    Some(true) | None => return Ok(()),
                }
            }
        }
        report.add(Thing::Tombstone(id), "its video was deleted a month ago");
        Ok(())
    }
}
