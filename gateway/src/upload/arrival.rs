//! Whether an upload has arrived, and what follows: its size and first bytes are looked at, and
//! the video becomes `uploaded` or fails.

use reelpin_schema::bucket::{BucketError, Head};
use reelpin_schema::db::DbError;
use reelpin_schema::failure::Failure;
use reelpin_schema::keys;
use reelpin_schema::video::{self, Status, StepError, Video};
use uuid::Uuid;

use super::sniff;
use crate::engines::Engines;
use crate::problem::{Code, Problem};

/// Why a video is not `uploaded` now.
#[derive(Debug, thiserror::Error)]
pub enum ArrivalError {
    /// Nothing is stored yet.
    #[error("nothing is stored yet")]
    Missing,
    /// Something else is stored than was declared.
    #[error("declared {declared} bytes, stored {stored}")]
    SizeMismatch {
        /// Bytes.
        declared: u64,
        /// Bytes.
        stored: u64,
    },
    /// No media container; the video has failed with it.
    #[error("not a video")]
    NotAVideo(Failure),
    /// The video has ended before.
    #[error("the video is {}", .0.name())]
    Ended(Status),
    /// The video's state.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The bucket.
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

impl From<DbError> for ArrivalError {
    fn from(e: DbError) -> Self {
        Self::Step(e.into())
    }
}

/// Looks for the upload of a video that may be pending: what has arrived is `uploaded` afterwards,
/// and what is no film has failed. Safe to repeat and to run twice at once.
///
/// # Errors
/// [`ArrivalError`]; nothing has changed with it, unless it is [`ArrivalError::NotAVideo`].
pub async fn arrive(engines: &Engines, id: Uuid) -> Result<(), ArrivalError> {
    let video = engines
        .db
        .run_tx("upload.look", async move |tx| video::get(tx, id).await)
        .await?
        .ok_or(StepError::Missing)?;
    match video.status {
        Status::Pending => {}
        Status::Uploaded | Status::Processing | Status::Playable | Status::Completed => {
            return Ok(());
        }
        Status::Failed => {
            let not_a_video = video.error.filter(|e| e.code == Code::NotAVideo.name());
            return Err(
                not_a_video.map_or(ArrivalError::Ended(Status::Failed), ArrivalError::NotAVideo)
            );
        }
        Status::Cancelled | Status::Deleted => return Err(ArrivalError::Ended(video.status)),
    }
    let head = engines.bucket.head(&video.file_path).await?.ok_or(ArrivalError::Missing)?;
    if head.size != video.file_size {
        if engines.upload_once {
            // Its sender could not replace it, and nobody else wants it.
            engines.bucket.delete(std::slice::from_ref(&video.file_path)).await?;
        }
        return Err(ArrivalError::SizeMismatch { declared: video.file_size, stored: head.size });
    }
    let range = Some((0, sniff::BYTES.min(head.size) - 1));
    let first = engines.bucket.get(&video.file_path, range).await?;
    let first = first.body.collect().await.map_err(|e| BucketError::Read(e.into()))?.into_bytes();
    if !sniff::is_media(&first) {
        return Err(refuse(engines, id, video.file_path.clone()).await?);
    }
    let (path, head) = settled(engines, &video, head).await?;
    let copy = (path != video.file_path).then_some(path);
    let (etag, own) = (head.etag, copy.clone());
    let decided = engines
        .db
        .run_tx("upload.uploaded", async move |tx| {
            // The first look that commits decides.
            let pending = video::status(tx, id).await? == Some(Status::Pending);
            if let (true, Some(path)) = (pending, &own) {
                video::set_original(tx, id, path).await?;
            }
            video::uploaded(tx, id, &etag).await?;
            Ok::<_, StepError>(pending)
        })
        .await?;
    if let (false, Some(copy)) = (decided, copy) {
        drop_unused(engines, id, copy).await?;
    }
    engines.queue.task_ready().await;
    engines.queue.video_changed(id).await;
    Ok(())
}

/// Where the upload can no longer be replaced: where it is when its address admits one PUT only,
/// else under a copy's key that no client knows.
async fn settled(
    engines: &Engines,
    video: &Video,
    head: Head,
) -> Result<(String, Head), ArrivalError> {
    if engines.upload_once {
        return Ok((video.file_path.clone(), head));
    }
    let path = keys::original(video.id, engines.ambient.uuid());
    match engines.bucket.copy(&video.file_path, &head.etag, &path).await {
        Ok(()) => {}
        // It is being replaced at this moment: the next look finds the new one.
        Err(e) if e.is_precondition() || e.is_missing() => return Err(ArrivalError::Missing),
        Err(e) => return Err(e.into()),
    }
    let copied = engines.bucket.head(&path).await?.ok_or(ArrivalError::Missing)?;
    if copied.size != video.file_size {
        return Err(ArrivalError::SizeMismatch { declared: video.file_size, stored: copied.size });
    }
    Ok((path, copied))
}

/// Removes a copy that another look made needless. A commit whose answer was lost looks like
/// another's, so the row says whether it is the copy that counts.
async fn drop_unused(engines: &Engines, id: Uuid, copy: String) -> Result<(), ArrivalError> {
    let row = engines.db.run_tx("upload.copy", async move |tx| video::get(tx, id).await).await?;
    if row.is_some_and(|row| row.file_path != copy) {
        engines.bucket.delete(&[copy]).await?;
    }
    Ok(())
}

async fn refuse(engines: &Engines, id: Uuid, key: String) -> Result<ArrivalError, ArrivalError> {
    let failure = Failure::new(
        Code::NotAVideo.name(),
        "The file is not a video or audio file that Reelpin knows.",
        "Upload a video, such as MP4, MOV, MKV or WebM.",
    );
    let stored = failure.clone();
    engines
        .db
        .run_tx("upload.not_a_video", async move |tx| video::fail(tx, id, &stored).await)
        .await?;
    engines.queue.video_changed(id).await;
    // Nobody needs it any more; what fails here goes when the video is deleted.
    if let Err(error) = engines.bucket.delete(&[key]).await {
        tracing::warn!(%error, video.id = %id, "cannot remove a refused upload");
    }
    Ok(ArrivalError::NotAVideo(failure))
}

impl From<ArrivalError> for Problem {
    fn from(e: ArrivalError) -> Self {
        match e {
            ArrivalError::Missing => Self::new(
                Code::UploadMissing,
                "Nothing is stored for this upload yet.",
                "PUT the file to the ticket's address, then call complete again.",
            ),
            ArrivalError::SizeMismatch { declared, stored } => Self::new(
                Code::SizeMismatch,
                format!("The ticket is for {declared} bytes, and {stored} are stored."),
                "Upload the declared file, or ask for a new ticket.",
            ),
            ArrivalError::NotAVideo(failure) => {
                Self::new(Code::NotAVideo, failure.detail, failure.suggestion)
            }
            ArrivalError::Ended(Status::Deleted) => Self::video_deleted(),
            ArrivalError::Ended(status) => Self::new(
                Code::VideoEnded,
                format!("The video is {}.", status.name()),
                "Ask for a new ticket and upload the file again.",
            ),
            ArrivalError::Step(e) => e.into(),
            ArrivalError::Bucket(e) => e.into(),
        }
    }
}
