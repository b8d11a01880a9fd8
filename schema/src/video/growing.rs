//! The steps of a video while it is made: what the digest found, segments that were stored, another plan.

use serde_json::Value;
use uuid::Uuid;

use super::steps::{StepError, found, to};
use crate::db::{DbError, Tx, sql};
use crate::event::{self, Event};
use crate::pin::{self, NewPin};
use crate::task::{self, Kind, Lease};
use crate::transcode::{self, Format, Grown, Transcode};

/// What was computed of the original's bytes.
#[derive(Debug, Clone)]
pub struct Digested {
    /// sha-256, hex.
    pub checksum: String,
    /// CID.
    pub ipfs_cid: String,
    /// Pins to be made of it.
    pub pins: Vec<NewPin>,
}

/// Ends the digest's task.
///
/// # Errors
/// [`DbError::LeaseLost`].
pub async fn digested(tx: &Tx, lease: &Lease, done: &Digested) -> Result<(), DbError> {
    task::finish(tx, lease).await?;
    let video = lease.video();
    tx.exec(
        sql!(
            "-- video.digest
        UPDATE videos SET checksum = $2, ipfs_cid = $3, updated_at = $4 WHERE id = $1"
        ),
        &[&video, &done.checksum, &done.ipfs_cid, &tx.now()],
    )
    .await?;
    for new in &done.pins {
        pin::insert(tx, video, new).await?;
        task::enqueue(tx, video, &new.task()).await?;
    }
    Ok(())
}

/// Notes that a segment of a rendition was stored: the rung may join the growing ladder, and the video may be
/// playable now.
///
/// # Errors
/// [`StepError::Bad`] when the video ended meanwhile.
pub async fn grew(tx: &Tx, id: Uuid, transcode: Uuid, sequence: u32) -> Result<(), StepError> {
    let grown = transcode::grow(tx, id, transcode, sequence).await?;
    if grown == Grown::No {
        return Ok(());
    }
    if sequence == 0 {
        playable(tx, id).await?;
    }
    if let Grown::Listed(rungs) = grown {
        for resolution in rungs {
            event::append(tx, id, &Event::RungAdded { resolution }).await?;
        }
    }
    Ok(())
}

/// Makes a video playable when one rung and the audio (if any) have their first segment.
///
/// # Errors
/// [`StepError::Bad`] when it ended meanwhile.
pub async fn playable(tx: &Tx, id: Uuid) -> Result<(), StepError> {
    if !transcode::can_play(tx, id).await? {
        return Ok(());
    }
    let video = found(tx, id).await?;
    let Some(status) = video.status.playable()? else { return Ok(()) };
    to(tx, &video, status).await?;
    event::append(tx, id, &Event::Playable {}).await?;
    Ok(())
}

/// Stores another plan, without an index, for a video whose first one did not hold, and forgets what was stored of
/// its picture: one task makes all of it anew. Its renditions stay, and the sound if it is whole: cut by the other
/// grid, half of it would not fit the rest. The lease ends with its task.
///
/// # Errors
/// [`DbError::LeaseLost`].
pub async fn replanned(tx: &Tx, lease: &Lease, plan: &Value) -> Result<(), StepError> {
    let video = lease.video();
    other_plan(tx, lease, plan).await?;
    task::one_stretch(tx, video).await?;
    task::take_back(tx, video, Kind::Audio).await?;
    forget(tx, video, |row| !row.is_audio() || row.stored_at.is_none()).await
}

/// Stores another plan of the sound, which was to be copied and is not what its tables say, and forgets what was stored
/// of it: the same task makes all of it anew. The picture stays as it is. The lease, the sound's, ends.
///
/// # Errors
/// [`DbError::LeaseLost`].
pub async fn sound_replanned(tx: &Tx, lease: &Lease, plan: &Value) -> Result<(), StepError> {
    let video = lease.video();
    other_plan(tx, lease, plan).await?;
    task::take_back(tx, video, Kind::Audio).await?;
    forget(tx, video, Transcode::is_audio).await
}

async fn other_plan(tx: &Tx, lease: &Lease, plan: &Value) -> Result<(), StepError> {
    task::guard(tx, lease).await?;
    tx.exec(
        sql!(
            "-- video.replan
        UPDATE videos SET plan = $2, updated_at = $3 WHERE id = $1"
        ),
        &[&lease.video(), &plan, &tx.now()],
    )
    .await?;
    Ok(())
}

/// Forgets what is stored of some HLS renditions.
async fn forget(tx: &Tx, video: Uuid, which: impl Fn(&Transcode) -> bool) -> Result<(), StepError> {
    let rows = transcode::of_video(tx, video).await?;
    let forgotten = rows.iter().filter(|row| row.format == Format::Hls && which(row));
    let forgotten: Vec<Uuid> = forgotten.map(|row| row.id).collect();
    Ok(transcode::forget(tx, &forgotten).await?)
}
