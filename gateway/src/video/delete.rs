//! `DELETE /video/{id}`.

use axum::extract::State;
use axum::http::StatusCode;
use reelpin_schema::video::{self, Status, StepError};
use uuid::Uuid;

use crate::app::Shared;
use crate::engines::Engines;
use crate::extract::At;
use crate::openapi::problems;
use crate::problem::Problem;

/// Delete a video: it is gone at once, its files and pins soon after.
#[utoipa::path(
    delete, path = "/video/{id}", tag = "video",
    params(("id" = Uuid, Path, description = "The video's id")),
    responses((status = 202, description = "It is gone; its files go soon"), Problems)
)]
pub(crate) async fn delete(
    State(app): State<Shared>,
    At(id): At<Uuid>,
) -> Result<StatusCode, Problem> {
    let was = remove(&app.engines, id).await?;
    app.alive.forget(id);
    if was == Status::Deleted {
        return Err(Problem::video_deleted());
    }
    Ok(StatusCode::ACCEPTED)
}

/// Makes a video a tombstone, whose files and pins go soon. Safe to repeat. Returns where it stood.
///
/// # Errors
/// [`StepError::Missing`], [`StepError::Db`].
pub async fn remove(engines: &Engines, id: Uuid) -> Result<Status, StepError> {
    let was = engines
        .db
        .run_tx("video.delete", async move |tx| {
            let was = video::get(tx, id).await?.ok_or(StepError::Missing)?.status;
            video::delete(tx, id).await?;
            Ok::<_, StepError>(was)
        })
        .await?;
    if was != Status::Deleted {
        engines.queue.task_ready().await;
        engines.queue.video_changed(id).await;
    }
    Ok(was)
}

problems!(Problems: VideoNotFound, VideoDeleted);
