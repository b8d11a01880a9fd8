//! Finds finished uploads whose sender never said so, and expires those that never came.

use std::time::Duration;

use futures_util::StreamExt as _;
use reelpin_schema::db::DbError;
use reelpin_schema::video::{self, StepError, Video};
use uuid::Uuid;

use super::arrival::{self, ArrivalError};
use crate::app::App;
use crate::engines::Engines;

/// The pause between two rounds; with [`ROUND`] it bounds the rate at which the bucket is asked.
const PAUSE: Duration = Duration::from_secs(1);

/// The most uploads that a round looks for.
const ROUND: i64 = 32;

/// How many are looked for at once.
const AT_ONCE: usize = 4;

/// Runs until the gateway stops.
pub(crate) async fn run(app: &App) {
    let mut tick = tokio::time::interval(PAUSE);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        tokio::select! {
            // A look that is dropped half-way has changed nothing, or all.
            () = app.stop.cancelled() => return,
            done = find(&app.engines) => if let Err(e) = done {
                tracing::warn!("uploads could not be looked for: {e}");
            }
        }
    }
}

/// One round: looks for uploads that are due, and fails those that never came. Returns how many it
/// looked for; what could not be looked at is told in the log and comes again.
///
/// # Errors
/// [`DbError`] when those that are due could not be read.
pub async fn find(engines: &Engines) -> Result<usize, DbError> {
    let due =
        engines.db.run_tx("upload.due", async move |tx| video::take_looks(tx, ROUND).await).await?;
    let looked_for = due.len();
    futures_util::stream::iter(due)
        .for_each_concurrent(AT_ONCE, async |video| one(engines, &video).await)
        .await;
    Ok(looked_for)
}

async fn one(engines: &Engines, video: &Video) {
    let missing = match arrival::arrive(engines, video.id).await {
        Ok(()) => {
            tracing::info!(video.id = %video.id, "found the upload of {}", video.id);
            return;
        }
        Err(ArrivalError::Missing | ArrivalError::SizeMismatch { .. }) => true,
        // Decided, by this look or by someone meanwhile.
        Err(ArrivalError::NotAVideo(_) | ArrivalError::Ended(_)) => false,
        Err(e @ (ArrivalError::Step(_) | ArrivalError::Bucket(_))) => {
            tracing::warn!(video.id = %video.id, "an upload could not be looked at: {e}");
            false
        }
    };
    if missing && let Err(e) = expire(engines, video.id).await {
        tracing::warn!(video.id = %video.id, "an upload could not be expired: {e}");
    }
}

/// Fails a pending video whose ticket ended long ago.
pub(crate) async fn expire(engines: &Engines, id: Uuid) -> Result<(), StepError> {
    let failed =
        engines.db.run_tx("upload.expire", async move |tx| video::expire(tx, id).await).await?;
    if failed {
        engines.queue.video_changed(id).await;
    }
    Ok(())
}
