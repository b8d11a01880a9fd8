//! `GET /video/{id}/progress`: how far a video's segments and pins are.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use reelpin_schema::db::DbError;
use reelpin_schema::failure::Failure;
use reelpin_schema::video::{self, Status};
use reelpin_schema::{pin, segment};
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
    /// Of each rung's and the audio's segments, 0 to 100.
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
    let (percent, rungs) = percent(&counts, planned, video.status);
    Ok(Json(Progress {
        video_id: id,
        upload_status: video.status,
        percent,
        rungs,
        pins: pins.into_iter().map(Pin::from).collect(),
        error: video.error,
    }))
}

/// `planned` is the grid's count; a film without an index can turn out to have more or fewer, so
/// nothing but the end makes 100 of all.
fn percent(counts: &[(String, i64)], planned: u32, status: Status) -> (u8, BTreeMap<String, u8>) {
    if status == Status::Completed {
        return (100, counts.iter().map(|(name, _)| (name.clone(), 100)).collect());
    }
    let of = |stored: u64, all: u64| {
        let hundredths = stored.saturating_mul(100).checked_div(all).unwrap_or(0);
        u8::try_from(hundredths.min(100)).unwrap_or(100)
    };
    let planned = u64::from(planned);
    let rungs: BTreeMap<String, u8> = counts
        .iter()
        .map(|(name, stored)| (name.clone(), of(stored.unsigned_abs(), planned)))
        .collect();
    let stored: u64 = counts.iter().map(|(_, stored)| stored.unsigned_abs().min(planned)).sum();
    (of(stored, planned * counts.len() as u64).min(99), rungs)
}

problems!(Problems: VideoNotFound, VideoDeleted);
