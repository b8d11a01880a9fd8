//! `POST /video/{id}/retry`.

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

/// Try a failed or cancelled video again, from where it stood; of a completed one, which stays so, the
/// poster and the pins that were given up.
#[utoipa::path(
    post, path = "/video/{id}/retry", tag = "video",
    params(("id" = Uuid, Path, description = "The video's id")),
    responses((status = 200, description = "The record", body = Record), Problems)
)]
pub(crate) async fn post(
    State(app): State<Shared>,
    At(id): At<Uuid>,
) -> Result<Json<Record>, Problem> {
    retry(&app.engines, id).await?;
    Ok(Json(record::read(&app, id, Show::Whole).await?))
}

/// Brings a failed or cancelled video back to work, or the poster and the pins of a completed one. A
/// second call is refused, and changes nothing.
///
/// # Errors
/// [`StepError::Missing`]; [`StepError::Expired`] when nothing was ever uploaded;
/// [`StepError::NothingDead`] when nothing of a completed one was given up; [`StepError::Bad`] in
/// another state.
pub async fn retry(engines: &Engines, id: Uuid) -> Result<(), StepError> {
    engines.db.run_tx("video.retry", async move |tx| video::retry(tx, id).await).await?;
    engines.queue.task_ready().await;
    engines.queue.video_changed(id).await;
    Ok(())
}

problems!(Problems: VideoNotFound, VideoDeleted, NothingToRetry);
