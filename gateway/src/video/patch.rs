//! `PATCH /video/{id}`: title and description.

use axum::Json;
use axum::extract::State;
use reelpin_schema::db::DbError;
use reelpin_schema::video;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::record::{self, Record, Show};
use super::text;
use crate::app::Shared;
use crate::extract::{At, Sent};
use crate::openapi::problems;
use crate::problem::Problem;

/// What to change; absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(expecting = "an object with title, description or both")]
pub(crate) struct Change {
    /// Not empty.
    #[schema(min_length = 1, max_length = 200)]
    title: Option<String>,
    /// May be empty.
    #[schema(max_length = 5000)]
    description: Option<String>,
}

/// Change a video's title, description or both.
#[utoipa::path(
    patch, path = "/video/{id}", tag = "video", request_body = Change,
    params(("id" = Uuid, Path, description = "The video's id")),
    responses((status = 200, description = "The record", body = Record), Problems)
)]
pub(crate) async fn patch(
    State(app): State<Shared>,
    At(id): At<Uuid>,
    Sent(change): Sent<Change>,
) -> Result<Json<Record>, Problem> {
    let title = change.title.as_deref().map(text::title).transpose()?;
    if title.as_deref() == Some("") {
        return Err(Problem::field("title", "is empty"));
    }
    let description = change.description.as_deref().map(text::description).transpose()?;
    let renamed = app
        .engines
        .db
        .run_tx("video.rename", async move |tx| {
            video::rename(tx, id, title.as_deref(), description.as_deref()).await
        })
        .await;
    match renamed {
        // Deleted or never there: reading it says which.
        Ok(()) | Err(DbError::Stale { .. }) => Ok(Json(record::read(&app, id, Show::Whole).await?)),
        Err(e) => Err(e.into()),
    }
}

problems!(Problems: BadJson, BadField, VideoNotFound, BodyTooSlow, VideoDeleted, BodyTooLarge, NotJson);
