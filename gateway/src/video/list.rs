//! `GET /videos`: newest first, by cursor.

use axum::Json;
use axum::extract::State;
use data_encoding::BASE64URL_NOPAD;
use reelpin_schema::video;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::record::Show;
use super::record::{self, Record};
use crate::app::Shared;
use crate::extract::Asked;
use crate::openapi::problems;
use crate::problem::{Code, Problem};

/// The most records of one page.
const MOST: u32 = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// How many, 1 to 100; 20 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before; the newest when absent.
    cursor: Option<String>,
}

/// A page of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listed {
    /// Newest first.
    videos: Vec<Record>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
}

/// All videos, newest first.
#[utoipa::path(
    get, path = "/videos", tag = "video", params(Page),
    responses((status = 200, description = "A page", body = Listed), Problems)
)]
pub(crate) async fn get(
    State(app): State<Shared>,
    Asked(page): Asked<Page>,
) -> Result<Json<Listed>, Problem> {
    let limit = page.limit.unwrap_or(20);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::new(
            Code::BadQuery,
            format!("limit is {limit}, and a page has 1 to {MOST} videos."),
            "Correct the address.",
        ));
    }
    let before = page.cursor.as_deref().map(place).transpose()?;
    let wanted = limit as usize;
    let mut parts = app
        .engines
        .db
        .run_tx("video.list", async move |tx| {
            // One more than asked for tells whether there is a next page.
            let videos = video::list(tx, before, i64::from(limit) + 1).await?;
            record::parts(tx, videos).await
        })
        .await?;
    let more = parts.len() > wanted;
    parts.truncate(wanted);
    let next_cursor = parts.last().filter(|_| more).map(|last| cursor(last.id()));
    let videos = parts.into_iter().map(|parts| parts.record(&app.config, Show::Whole)).collect();
    Ok(Json(Listed { videos, next_cursor }))
}

/// Opaque to clients: the id of a page's last video.
fn cursor(id: Uuid) -> String {
    BASE64URL_NOPAD.encode(id.as_bytes())
}

fn place(cursor: &str) -> Result<Uuid, Problem> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok();
    bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok()).ok_or_else(|| {
        Problem::new(
            Code::BadCursor,
            "The cursor is not one of ours.",
            "Take next_cursor of the page before, or leave it out.",
        )
    })
}

problems!(Problems: BadQuery, BadCursor);
