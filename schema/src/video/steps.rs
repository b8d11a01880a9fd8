//! The steps of a video: each checks the transition, stores it, announces it as an event and
//! adds or ends tasks, in the caller's transaction.

use serde_json::Value;
use uuid::Uuid;

use super::{BadStep, Status, Video, get};
use crate::db::{DbError, Tx, sql};
use crate::event::{self, Event};
use crate::failure::Failure;
use crate::file::{self, NewFile};
use crate::pin::{self, NewPin};
use crate::task::{self, Kind, Lease, NewTask};
use crate::transcode::{self, NewRendition, Packaged};

/// Why a step was not taken.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// There is no such video.
    #[error("there is no such video")]
    Missing,
    /// Its state does not allow it.
    #[error(transparent)]
    Bad(#[from] BadStep),
    /// An `upload_expired` video has nothing to try again.
    #[error("the upload expired; there is nothing to try again")]
    Expired,
    /// All of a completed video is done, or still at work.
    #[error("nothing of it was given up")]
    NothingDead,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

pub(super) async fn found(tx: &Tx, id: Uuid) -> Result<Video, StepError> {
    get(tx, id).await?.ok_or(StepError::Missing)
}

/// Stores a transition; the precondition stands in the statement too.
pub(super) async fn to(tx: &Tx, video: &Video, status: Status) -> Result<(), DbError> {
    let ended = status.is_ended().then(|| tx.now());
    tx.exec_one(
        "the video",
        sql!(
            "-- video.step
        UPDATE videos SET upload_status = $3, updated_at = $4, ended_at = $5, look_at = NULL,
            error = CASE WHEN $3 = 'failed' THEN error END
        WHERE id = $1 AND upload_status = $2"
        ),
        &[&video.id, &video.status.name(), &status.name(), &tx.now(), &ended],
    )
    .await
}

/// The original was found: `etag` as the bucket tells it. Enqueues the probe. Safe to repeat.
///
/// # Errors
/// [`StepError::Bad`] from an ended state.
pub async fn uploaded(tx: &Tx, id: Uuid, etag: &str) -> Result<(), StepError> {
    let video = found(tx, id).await?;
    let Some(status) = video.status.uploaded()? else { return Ok(()) };
    to(tx, &video, status).await?;
    tx.exec(sql!("-- video.etag\nUPDATE videos SET etag = $2 WHERE id = $1"), &[&id, &etag])
        .await?;
    event::append(tx, id, &Event::Uploaded { file_size: video.file_size }).await?;
    task::enqueue(tx, id, &NewTask::of(Kind::Probe)).await?;
    Ok(())
}

/// What the probe's task decided.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Probe facts.
    pub probe: Value,
    /// The plan.
    pub plan: Value,
    /// [`Event::Probed`].
    pub probed: Event,
    /// [`Event::Planned`].
    pub planned: Event,
    /// Every rendition to be made.
    pub renditions: Vec<NewRendition>,
    /// The tasks that make them.
    pub tasks: Vec<NewTask>,
}

/// Ends the probe's task with a plan.
///
/// # Errors
/// [`DbError::LeaseLost`]; [`StepError::Bad`] when the video ended meanwhile.
pub async fn planned(tx: &Tx, lease: &Lease, planned: &Planned) -> Result<(), StepError> {
    task::finish(tx, lease).await?;
    let video = found(tx, lease.video()).await?;
    if let Some(status) = video.status.planned()? {
        to(tx, &video, status).await?;
    }
    tx.exec(
        sql!(
            "-- video.plan
        UPDATE videos SET probe = $2, plan = $3 WHERE id = $1"
        ),
        &[&video.id, &planned.probe, &planned.plan],
    )
    .await?;
    event::append(tx, video.id, &planned.probed).await?;
    event::append(tx, video.id, &planned.planned).await?;
    for rendition in &planned.renditions {
        transcode::insert(tx, video.id, rendition).await?;
    }
    Ok(task::enqueue_all(tx, video.id, &planned.tasks).await?)
}

/// What the packaging stored.
#[derive(Debug, Clone)]
pub struct Completed {
    /// Measured facts of each HLS rendition and its final playlist.
    pub packaged: Vec<Packaged>,
    /// The MP4s.
    pub mp4s: Vec<NewRendition>,
    /// The master playlist.
    pub master: NewFile,
    /// CID of the folder of all this.
    pub root_cid: String,
    /// Length of the longest rendition, ticks of 1/90000 s: what the plan expected may differ.
    pub duration_ticks: u64,
    /// Pins to be made of the folder.
    pub pins: Vec<NewPin>,
}

/// Ends the packaging: the video is `completed` and its folder published.
///
/// # Errors
/// [`DbError::LeaseLost`]; [`StepError::Bad`] when the video ended meanwhile.
pub async fn completed(tx: &Tx, lease: &Lease, done: &Completed) -> Result<(), StepError> {
    task::finish(tx, lease).await?;
    let video = found(tx, lease.video()).await?;
    let Some(status) = video.status.completed()? else { return Ok(()) };
    to(tx, &video, status).await?;
    for packaged in &done.packaged {
        transcode::package(tx, packaged).await?;
    }
    for mp4 in &done.mp4s {
        transcode::insert(tx, video.id, mp4).await?;
    }
    file::insert(tx, video.id, &done.master).await?;
    tx.exec(
        sql!(
            "-- video.root
        UPDATE videos SET root_cid = $2,
            plan = jsonb_set(plan, ARRAY['duration'], to_jsonb($3::INT8))
        WHERE id = $1"
        ),
        &[&video.id, &done.root_cid, &done.duration_ticks.cast_signed()],
    )
    .await?;
    event::append(tx, video.id, &Event::Completed {}).await?;
    event::append(tx, video.id, &Event::Published { root_cid: done.root_cid.clone() }).await?;
    for new in &done.pins {
        pin::insert(tx, video.id, new).await?;
        task::enqueue(tx, video.id, &new.task()).await?;
    }
    Ok(())
}

/// Ends a video with a failure and stops its tasks. Nothing happens when it has ended already.
///
/// # Errors
/// [`StepError::Missing`], [`StepError::Db`].
pub async fn fail(tx: &Tx, id: Uuid, failure: &Failure) -> Result<(), StepError> {
    let video = found(tx, id).await?;
    let Ok(Some(status)) = video.status.failed() else { return Ok(()) };
    let error = serde_json::to_value(failure)
        .map_err(|source| DbError::Stored { what: "error", source })?;
    tx.exec(sql!("-- video.error\nUPDATE videos SET error = $2 WHERE id = $1"), &[&id, &error])
        .await?;
    to(tx, &video, status).await?;
    task::cancel_work(tx, id).await?;
    event::append(tx, id, &Event::Failed(failure.clone())).await?;
    Ok(())
}

/// Stops a video at its owner's wish. Safe to repeat.
///
/// # Errors
/// [`StepError::Bad`] when it is completed, failed or deleted.
pub async fn cancel(tx: &Tx, id: Uuid) -> Result<(), StepError> {
    let video = found(tx, id).await?;
    let Some(status) = video.status.cancelled()? else { return Ok(()) };
    to(tx, &video, status).await?;
    task::cancel_work(tx, id).await?;
    event::append(tx, id, &Event::Cancelled {}).await?;
    Ok(())
}

/// Tries a failed or cancelled video again, from where it stood; of a completed one, which stays so,
/// the poster and the pins that were given up.
///
/// # Errors
/// [`StepError::Expired`] when nothing was ever uploaded; [`StepError::NothingDead`] when nothing of a
/// completed one was given up; [`StepError::Bad`] in another state.
pub async fn retry(tx: &Tx, id: Uuid) -> Result<(), StepError> {
    let video = found(tx, id).await?;
    let Some(status) = video.status.retried(video.plan.is_some())? else { return Ok(()) };
    if video.etag.is_none() {
        return Err(StepError::Expired);
    }
    if status == Status::Completed {
        if task::revive_dead(tx, id).await? == 0 {
            return Err(StepError::NothingDead);
        }
    } else {
        to(tx, &video, status).await?;
        task::revive(tx, id).await?;
    }
    pin::requeue(tx, id).await?;
    event::append(tx, id, &Event::Retried {}).await?;
    Ok(())
}

/// Makes a video a tombstone, whose pins are to be let go, and enqueues the removal of everything
/// else. Safe to repeat.
///
/// # Errors
/// [`StepError::Missing`].
pub async fn delete(tx: &Tx, id: Uuid) -> Result<(), StepError> {
    let video = found(tx, id).await?;
    let Some(status) = video.status.deleted()? else { return Ok(()) };
    to(tx, &video, status).await?;
    task::cancel_all(tx, id).await?;
    pin::remove(tx, id).await?;
    event::append(tx, id, &Event::Deleted {}).await?;
    task::enqueue(tx, id, &NewTask::of(Kind::Delete)).await?;
    Ok(())
}
