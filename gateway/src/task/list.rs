//! `GET /tasks`: dead letters, newest first, by cursor.

use axum::Json;
use axum::extract::State;
use data_encoding::BASE64URL_NOPAD;
use reelpin_schema::failure::Failure;
use reelpin_schema::task::{self, Dead};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::app::Shared;
use crate::extract::Asked;
use crate::openapi::problems;
use crate::problem::{Code, Problem};

/// The most tasks of one page.
const MOST: u32 = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// Which: those that were given up, which is also the default.
    #[param(inline)]
    state: Option<Listable>,
    /// How many, 1 to 100; 20 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before; the newest when absent.
    cursor: Option<String>,
}

/// States whose tasks are listed.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Listable {
    /// Given up after every attempt, or refused.
    Dead,
}

/// A page of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tasks {
    /// Newest first.
    tasks: Vec<Task>,
    /// Where the next page begins; null at the end.
    next_cursor: Option<String>,
}

/// A task that was given up. Retrying its video brings it back.
#[derive(Debug, Serialize, ToSchema)]
struct Task {
    video_id: Uuid,
    /// `probe`, `encode`, `audio`, `poster`, `package` or `pin`.
    kind: &'static str,
    /// Which of several of its kind, from 0.
    place: i64,
    /// How often it was tried.
    attempts: i64,
    /// What the last attempt met on our side, in the log's words.
    cause: Option<String>,
    /// What is wrong with the file, in its owner's words.
    failure: Option<Failure>,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<OffsetDateTime>,
    /// The worker that tried it last.
    worker: Option<String>,
}

impl From<Dead> for Task {
    fn from(dead: Dead) -> Self {
        Self {
            video_id: dead.video,
            kind: dead.kind.name(),
            place: dead.place,
            attempts: dead.attempts,
            cause: dead.cause,
            failure: dead.failure,
            ended_at: dead.ended_at,
            worker: dead.worker,
        }
    }
}

/// Tasks that were given up, newest first.
#[utoipa::path(
    get, path = "/tasks", tag = "service", params(Page),
    responses((status = 200, description = "A page", body = Tasks), Problems)
)]
pub(crate) async fn get(
    State(app): State<Shared>,
    Asked(page): Asked<Page>,
) -> Result<Json<Tasks>, Problem> {
    let Listable::Dead = page.state.unwrap_or(Listable::Dead);
    let limit = page.limit.unwrap_or(20);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::new(
            Code::BadQuery,
            format!("limit is {limit}, and a page has 1 to {MOST} tasks."),
            "Correct the address.",
        ));
    }
    let before = page.cursor.as_deref().map(place).transpose()?;
    let mut tasks = app
        .engines
        .db
        .run_tx("task.dead", async move |tx| {
            // One more than asked for tells whether there is a next page.
            task::dead(tx, before, i64::from(limit) + 1).await
        })
        .await?;
    let more = tasks.len() > limit as usize;
    tasks.truncate(limit as usize);
    let next_cursor = tasks.last().filter(|_| more).map(|last| cursor(last.id));
    Ok(Json(Tasks { tasks: tasks.into_iter().map(Task::from).collect(), next_cursor }))
}

/// Opaque to clients: the id of a page's last task.
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
