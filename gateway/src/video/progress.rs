//! `GET /video/{id}/progress`: how far a video's segments and pins are.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use reelpin_schema::db::DbError;
use reelpin_schema::failure::Failure;
use reelpin_schema::video::{self, Status};
use reelpin_schema::{pin, queue, segment};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::record::Pin;
use super::{facts, record};
use crate::app::Shared;
use crate::extract::At;
use crate::openapi::problems;
use crate::problem::Problem;

/// How far a video is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Progress {
    video_id: Uuid,
    upload_status: Status,
    /// Of all its segments, 0 to 100; 100 only when it is completed.
    percent: u8,
    /// Of each rung's segments, 0 to 100.
    rungs: BTreeMap<String, u8>,
    pins: Vec<Pin>,
    error: Option<Failure>,
}

/// How far a video is.
#[utoipa::path(
    get, path = "/video/{id}/progress", tag = "video",
    params(("id" = Uuid, Path, description = "The video's id")),
    responses((status = 200, description = "How far it is", body = Progress), Problems)
)]
pub(crate) async fn get(
    State(app): State<Shared>,
    At(id): At<Uuid>,
) -> Result<Json<Progress>, Problem> {
    let (video, counts, pins) = app
        .engines
        .db
        .run_tx("video.progress", async move |tx| {
            Ok::<_, DbError>((
                video::get(tx, id).await?,
                segment::counts(tx, id).await?,
                pin::of_video(tx, id).await?,
            ))
        })
        .await?;
    let video = record::present(video)?;
    let planned = facts::plan(&video)?.map_or(0, |plan| plan.grid.n_segments());
    let mut progress = queue::Progress::of(planned, &counts);
    if video.status == Status::Completed {
        progress.percent = 100;
        progress.rungs.values_mut().for_each(|percent| *percent = 100);
    }
    Ok(Json(Progress {
        video_id: id,
        upload_status: video.status,
        percent: progress.percent,
        rungs: progress.rungs,
        pins: pins.into_iter().map(Pin::from).collect(),
        error: video.error,
    }))
}

problems!(Problems: VideoNotFound, VideoDeleted);
