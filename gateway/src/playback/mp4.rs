//! `GET /video/{id}/mp4/{rung}`: a rendition as one file, to play or to keep.
//!
//! The address names no attempt, so a cache has to ask; the ETag is the file's CID, and the answer
//! is 304 as long as the file is the same.

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use reelpin_schema::db::DbError;
use reelpin_schema::transcode::{self, Format};
use reelpin_schema::video;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::answer::{About, Keep};
use super::object;
use crate::app::Shared;
use crate::extract::{Asked, At};
use crate::openapi::problems;
use crate::problem::Problem;
use crate::video::record;

mod name;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct How {
    /// `1`: to be kept, under the video's title.
    download: Option<String>,
}

/// One rung as an MP4.
#[utoipa::path(
    get, path = "/video/{id}/mp4/{rung}", tag = "playback",
    params(
        ("id" = Uuid, Path, description = "The video's id"),
        ("rung" = String, Path, description = "`480p`, `720p` or `1080p`"),
        How,
    ),
    responses(
        (status = 200, description = "The file", content_type = "video/mp4"),
        (status = 206, description = "A part of it", content_type = "video/mp4"),
        (status = 304, description = "The client has it"),
        Problems
    )
)]
pub(crate) async fn get(
    State(app): State<Shared>,
    At((id, rung)): At<(Uuid, String)>,
    Asked(how): Asked<How>,
    method: Method,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let (video, rows) = app
        .engines
        .db
        .run_tx("playback.mp4", async move |tx| {
            Ok::<_, DbError>((video::get(tx, id).await?, transcode::of_video(tx, id).await?))
        })
        .await?;
    let video = record::present(video)?;
    let row = rows.into_iter().find(|r| r.format == Format::Mp4 && r.resolution == rung);
    let (key, cid) =
        row.and_then(|row| row.file_path.zip(row.file_cid)).ok_or_else(Problem::file_not_found)?;
    let download = how.download.is_some_and(|value| value != "0");
    let about = About {
        etag: format!("\"{cid}\""),
        kind: "video/mp4",
        keep: Keep::Ask,
        disposition: name::disposition(&format!("{}-{rung}.mp4", video.title), download),
    };
    object::serve(&app, &method, &request, &key, &about).await
}

problems!(Problems: BadQuery, VideoNotFound, FileNotFound, VideoDeleted, BadRange);
