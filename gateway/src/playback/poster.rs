//! `GET /video/{id}/poster`: the still picture.
//!
//! The address names no attempt, so a cache has to ask; the ETag is the picture's CID.

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use reelpin_schema::db::DbError;
use reelpin_schema::{file, keys, video};
use uuid::Uuid;

use super::answer::{About, Keep};
use super::object;
use crate::app::Shared;
use crate::extract::At;
use crate::openapi::problems;
use crate::problem::Problem;
use crate::video::record;

/// The still picture.
#[utoipa::path(
    get, path = "/video/{id}/poster", tag = "playback",
    params(("id" = Uuid, Path, description = "The video's id")),
    responses(
        (status = 200, description = "The picture", content_type = "image/jpeg"),
        (status = 206, description = "A part of it", content_type = "image/jpeg"),
        (status = 304, description = "The client has it"),
        Problems
    )
)]
pub(crate) async fn get(
    State(app): State<Shared>,
    At(id): At<Uuid>,
    method: Method,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let (video, files) = app
        .engines
        .db
        .run_tx("playback.poster", async move |tx| {
            Ok::<_, DbError>((video::get(tx, id).await?, file::of_video(tx, id).await?))
        })
        .await?;
    record::present(video)?;
    let poster = files
        .into_iter()
        .find(|file| file.role == file::Role::Poster)
        .ok_or_else(Problem::file_not_found)?;
    let about = About {
        etag: format!("\"{}\"", poster.cid),
        kind: keys::content_type(&poster.path),
        keep: Keep::Ask,
        disposition: None,
    };
    object::serve(&app, &method, &request, &poster.path, &about).await
}

problems!(Problems: VideoNotFound, FileNotFound, VideoDeleted, BadRange);
