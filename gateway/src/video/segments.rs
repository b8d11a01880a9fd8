//! `GET /video/{id}/segments`: the stored segments with their content ids.

use axum::Json;
use axum::extract::State;
use reelpin_schema::db::DbError;
use reelpin_schema::{segment, video};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::record;
use crate::app::Shared;
use crate::extract::{Asked, At};
use crate::openapi::problems;
use crate::playback::address;
use crate::problem::{Code, Problem};

/// The most segments of one answer: an hour of four renditions.
const MOST: u32 = 2500;

/// Ticks per second of stored durations.
const TICKS: f64 = 90_000.0;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// One rendition: `480p`, `720p`, `1080p` or `audio`; all when absent.
    resolution: Option<String>,
    /// The first place in the grid; 0 when absent.
    from: Option<u32>,
    /// How many, 1 to 2500; 2500 when absent.
    limit: Option<u32>,
}

/// A stored segment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Segment {
    /// `480p`, ... or `audio`.
    resolution: String,
    /// Its place in the grid, from 0.
    sequence: u32,
    /// Seconds.
    duration: f64,
    cid: String,
    /// Bytes.
    size: u64,
    url: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stored {
    /// By place, then by resolution.
    segments: Vec<Segment>,
}

/// A video's segments.
#[utoipa::path(
    get, path = "/video/{id}/segments", tag = "video",
    params(("id" = Uuid, Path, description = "The video's id"), Which),
    responses((status = 200, description = "The segments", body = Stored), Problems)
)]
pub(crate) async fn get(
    State(app): State<Shared>,
    At(id): At<Uuid>,
    Asked(which): Asked<Which>,
) -> Result<Json<Stored>, Problem> {
    let limit = which.limit.unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::new(
            Code::BadQuery,
            format!("limit is {limit}, and an answer has 1 to {MOST} segments."),
            "Correct the address.",
        ));
    }
    let (video, rows) = app
        .engines
        .db
        .run_tx("video.segments", async move |tx| {
            let resolution = which.resolution.as_deref();
            let from = which.from.unwrap_or(0);
            Ok::<_, DbError>((
                video::get(tx, id).await?,
                segment::of_video(tx, id, resolution, from, i64::from(limit)).await?,
            ))
        })
        .await?;
    record::present(video)?;
    let segments = rows
        .into_iter()
        .map(|(resolution, row)| Segment {
            resolution,
            sequence: row.sequence,
            #[expect(clippy::cast_precision_loss, reason = "2^53 ticks are 3,000 years")]
            duration: row.duration_ticks as f64 / TICKS,
            url: address::stored(&app.config, id, &row.path),
            cid: row.cid,
            size: row.size,
        })
        .collect();
    Ok(Json(Stored { segments }))
}

problems!(Problems: BadQuery, VideoNotFound, VideoDeleted);
