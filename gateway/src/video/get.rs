//! `GET /video/{id}`.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::record::{self, Record, Show};
use crate::app::Shared;
use crate::extract::{Asked, At};
use crate::openapi::problems;
use crate::problem::Problem;

/// What a record is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Ask {
    /// Name the growing playlist in `playback.hls` from `playable` on: for players that know what
    /// to do with a film whose rungs and segments are still added. Without it `playback.hls` comes
    /// when the film is whole.
    #[serde(default)]
    growing: bool,
}

/// One video.
#[utoipa::path(
    get, path = "/video/{id}", tag = "video",
    params(("id" = Uuid, Path, description = "The video's id"), Ask),
    responses((status = 200, description = "The record", body = Record), Problems)
)]
pub(crate) async fn get(
    State(app): State<Shared>,
    At(id): At<Uuid>,
    Asked(ask): Asked<Ask>,
) -> Result<Json<Record>, Problem> {
    let show = if ask.growing { Show::Growing } else { Show::Whole };
    Ok(Json(record::read(&app, id, show).await?))
}

problems!(Problems: VideoNotFound, VideoDeleted, BadQuery);
