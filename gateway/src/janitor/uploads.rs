//! Uploads that never came.

use reelpin_schema::lease;
use reelpin_schema::video::{self, StepError};

use super::report::{Report, Thing};
use super::{Janitor, JanitorError, LEASE, Mode, NAME};

/// The most that are expired in one walk; the finder expires them too.
const MOST: i64 = 32;

impl Janitor {
    /// Fails pending videos whose upload is no longer waited for and did not come. One that did is
    /// left to the finder.
    pub(super) async fn expire_uploads(&self, report: &mut Report) -> Result<(), JanitorError> {
        let overdue = self
            .engines
            .db
            .run_tx("janitor.overdue", async move |tx| video::overdue(tx, MOST).await)
            .await?;
        for video in overdue {
            if self.engines.bucket.head(&video.file_path).await?.is_some() {
                continue;
            }
            let (token, id) = (self.token, video.id);
            if self.mode == Mode::Wet {
                let expired = self
                    .engines
                    .db
                    .run_tx("janitor.expire", async move |tx| {
                        Ok(lease::hold(tx, NAME, token, LEASE).await?
                            && video::expire(tx, id).await?)
                    })
                    .await;
                match expired {
                    Ok(true) => {
                        self.engines.queue.video_changed(id).await;
                    }
                    // Someone else was faster.
                    Ok(false)
                    | Err(
                        StepError::Missing
                        | StepError::Bad(_)
                        | StepError::Expired
                        | StepError::NothingDead,
                    ) => continue,
                    Err(StepError::Db(e)) => return Err(e.into()),
                }
            }
            report.add(Thing::Upload(id), "it did not come within a day after its ticket ended");
        }
        Ok(())
    }
}
