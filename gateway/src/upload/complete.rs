//! `POST /upload/video/{id}/complete`: the sender says that the upload is there.

use axum::Json;
use axum::extract::State;
use uuid::Uuid;

use super::arrival;
use crate::app::Shared;
use crate::extract::At;
use crate::openapi::problems;
use crate::problem::Problem;
use crate::video::record::{self, Record, Show};

/// Say that the upload is complete.
///
/// Optional: a finished upload is found without it, later. Safe to repeat.
#[utoipa::path(
    post, path = "/upload/video/{id}/complete", tag = "upload",
    params(("id" = Uuid, Path, description = "The video's id")),
    responses((status = 200, description = "The video's record", body = Record), Problems)
)]
pub(crate) async fn post(
    State(app): State<Shared>,
    At(id): At<Uuid>,
) -> Result<Json<Record>, Problem> {
    arrival::arrive(&app.engines, id).await?;
    Ok(Json(record::read(&app, id, Show::Whole).await?))
}

problems!(Problems: VideoNotFound, VideoDeleted, UploadMissing, SizeMismatch, VideoEnded, NotAVideo);
