//! `GET /video/{id}/events`: what happened, numbered without gaps.

use axum::Json;
use axum::extract::State;
use reelpin_schema::event::{self, Numbered};
use reelpin_schema::video;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::app::Shared;
use crate::extract::{Asked, At};
use crate::openapi::problems;
use crate::problem::Problem;
use crate::video::record;

/// The most events of one answer; the next begin after its last.
const MOST: i64 = 500;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct After {
    /// The last number that is known; 0 when absent.
    since: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Happened {
    /// Oldest first, at most 500.
    events: Vec<Numbered>,
}

/// A video's events.
#[utoipa::path(
    get, path = "/video/{id}/events", tag = "video",
    params(("id" = Uuid, Path, description = "The video's id"), After),
    responses((status = 200, description = "The events", body = Happened), Problems)
)]
pub(crate) async fn get(
    State(app): State<Shared>,
    At(id): At<Uuid>,
    Asked(after): Asked<After>,
) -> Result<Json<Happened>, Problem> {
    let since = after.since.unwrap_or(0);
    let (video, events) = app
        .engines
        .db
        .run_tx("video.events", async move |tx| {
            Ok::<_, reelpin_schema::db::DbError>((
                video::get(tx, id).await?,
                event::since(tx, id, since, MOST).await?,
            ))
        })
        .await?;
    record::present(video)?;
    Ok(Json(Happened { events }))
}

problems!(Problems: BadQuery, VideoNotFound, VideoDeleted);
