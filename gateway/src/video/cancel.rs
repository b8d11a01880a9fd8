//! `POST /video/{id}/cancel`.

use axum::Json;
use axum::extract::State;
use reelpin_schema::video::{self, StepError};
use uuid::Uuid;

use super::record::{self, Record, Show};
use crate::app::Shared;
use crate::engines::Engines;
use crate::extract::At;
use crate::openapi::problems;
use crate::problem::Problem;

/// Stop a video at once. What is stored stays playable.
#[utoipa::path(
    post, path = "/video/{id}/cancel", tag = "video",
    params(("id" = Uuid, Path, description = "The video's id")),
    responses((status = 200, description = "The record", body = Record), Problems)
)]
pub(crate) async fn post(
    State(app): State<Shared>,
    At(id): At<Uuid>,
) -> Result<Json<Record>, Problem> {
    cancel(&app.engines, id).await?;
    Ok(Json(record::read(&app, id, Show::Whole).await?))
}

/// Stops a video. Safe to repeat.
///
/// # Errors
/// [`StepError::Missing`]; [`StepError::Bad`] when it is completed, failed or deleted.
pub async fn cancel(engines: &Engines, id: Uuid) -> Result<(), StepError> {
    engines.db.run_tx("video.cancel", async move |tx| video::cancel(tx, id).await).await?;
    engines.queue.video_changed(id).await;
    Ok(())
}

problems!(Problems: VideoNotFound, VideoDeleted, NothingToCancel);
