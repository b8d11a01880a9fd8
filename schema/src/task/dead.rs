//! Dead letters: tasks that no further attempt was made of, for an operator to look at.

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Kind;
use crate::db::{DbError, Tx, sql};
use crate::failure::Failure;

/// A task that was dead-lettered.
#[derive(Debug, Clone, PartialEq)]
pub struct Dead {
    /// The task.
    pub id: Uuid,
    /// Its video.
    pub video: Uuid,
    /// What it was to do.
    pub kind: Kind,
    /// Which of several of its kind.
    pub place: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// What the last attempt met on our side, in the log's words.
    pub cause: Option<String>,
    /// Why no attempt could help, in the owner's words.
    pub failure: Option<Failure>,
    /// When it was given up.
    pub ended_at: Option<OffsetDateTime>,
    /// Who tried it last.
    pub worker: Option<String>,
}

/// Reads dead tasks of videos that are not deleted, newest first: those whose ids come before
/// `before`, at most `limit`.
///
/// # Errors
/// [`DbError`].
pub async fn dead(tx: &Tx, before: Option<Uuid>, limit: i64) -> Result<Vec<Dead>, DbError> {
    tx.all(
        sql!(
            "-- task.dead
        SELECT t.id, t.video_id, t.kind, t.place, t.attempt, t.error, t.ended_at, a.worker
        FROM tasks t JOIN videos v ON v.id = t.video_id
        LEFT JOIN attempts a ON a.task_id = t.id AND a.attempt = t.attempt
        WHERE t.state = 'dead' AND t.id < $1 AND v.upload_status <> 'deleted'
        ORDER BY t.id DESC LIMIT $2"
        ),
        &[&before.unwrap_or(Uuid::max()), &limit],
    )
    .await?
    .iter()
    .map(|row| {
        let error: Option<Value> = row.get("error");
        let cause = error.as_ref().and_then(|e| e.get("cause")?.as_str());
        Ok(Dead {
            id: row.get("id"),
            video: row.get("video_id"),
            kind: Kind::from_name(row.get("kind"))?,
            place: row.get("place"),
            attempts: row.get("attempt"),
            cause: cause.map(str::to_owned),
            failure: error.and_then(|error| serde_json::from_value(error).ok()),
            ended_at: row.get("ended_at"),
            worker: row.get("worker"),
        })
    })
    .collect()
}
