//! `GET /video/{id}`.

use axum::Json;
use axum::extract::State;
use uuid::Uuid;

use super::record::{self, Record};
use crate::app::Shared;
use crate::extract::At;
use crate::openapi::problems;
use crate::problem::Problem;

/// One video.
#[utoipa::path(
    get, path = "/video/{id}", tag = "video",
    params(("id" = Uuid, Path, description = "The video's id")),
    responses((status = 200, description = "The record", body = Record), Problems)
)]
pub(crate) async fn get(
    State(app): State<Shared>,
    At(id): At<Uuid>,
) -> Result<Json<Record>, Problem> {
    Ok(Json(record::read(&app, id).await?))
}

problems!(Problems: VideoNotFound, VideoDeleted);
