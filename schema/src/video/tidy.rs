//! What goes with time: uploads that never came, finished tasks, and tombstones. All of it in bounded
//! steps that are safe to repeat.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::steps::{self, StepError, found};
use super::{Status, Video, columns};
use crate::db::{DbError, Tx, sql};
use crate::event;
use crate::failure::Failure;

/// How long after its ticket ended an upload is waited for (design, section 5).
const EXPIRES_AFTER: Duration = Duration::hours(24);

/// How long after their video ended finished tasks stay (design, section 4).
const TASKS: Duration = Duration::days(7);

/// How long a deleted video is told apart from one that never was (design, section 5).
const TOMBSTONE: Duration = Duration::days(30);

/// Reads pending videos whose upload is no longer waited for, at most `limit`.
///
/// # Errors
/// [`DbError`].
pub async fn overdue(tx: &Tx, limit: i64) -> Result<Vec<Video>, DbError> {
    tx.all(
        sql!(concat!(
            "-- video.overdue\nSELECT ",
            columns!(),
            " FROM videos WHERE upload_status = 'pending' AND ticket_until < $1
            ORDER BY ticket_until, id LIMIT $2"
        )),
        &[&(tx.now() - EXPIRES_AFTER), &limit],
    )
    .await?
    .iter()
    .map(Video::read)
    .collect()
}

/// Fails a pending video whose upload is no longer waited for; returns whether it did. The caller has
/// looked whether it is there.
///
/// # Errors
/// [`StepError::Missing`], [`StepError::Db`].
pub async fn expire(tx: &Tx, id: Uuid) -> Result<bool, StepError> {
    let video = found(tx, id).await?;
    let late = video.status == Status::Pending && tx.now() > video.ticket_until + EXPIRES_AFTER;
    if late {
        steps::fail(tx, id, &Failure::upload_expired()).await?;
    }
    Ok(late)
}

/// A video on a walk through all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its id.
    pub id: Uuid,
    /// How many of its tasks may go: [`remove_tasks`].
    pub tasks: i64,
    /// Whether it is a tombstone that may go: [`forget`].
    pub tombstone: bool,
}

/// Reads the videos after `after` in the order of their ids, at most `limit`, with what of them may
/// go.
///
/// # Errors
/// [`DbError`].
pub async fn ended(tx: &Tx, after: Uuid, limit: i64) -> Result<Vec<Ended>, DbError> {
    let rows = tx
        .all(
            sql!(
                "-- video.ended
            SELECT id, upload_status = 'deleted' AND ended_at <= $4 AS tombstone,
                CASE WHEN ended_at <= $3 AND upload_status IN ('completed', 'deleted') THEN
                    (SELECT count(*) FROM tasks t WHERE t.video_id = v.id AND t.ended_at <= $3
                        AND (t.state = 'done' OR
                            v.upload_status = 'deleted' AND t.state IN ('dead', 'cancelled')))
                ELSE 0 END AS tasks
            FROM videos v WHERE id > $1 ORDER BY id LIMIT $2"
            ),
            &[&after, &limit, &(tx.now() - TASKS), &(tx.now() - TOMBSTONE)],
        )
        .await?;
    let mut videos = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.get("id");
        let old = row.get::<_, Option<bool>>("tombstone").unwrap_or(false);
        let tombstone = old && is_emptied(tx, id).await?;
        videos.push(Ended { id, tasks: row.get("tasks"), tombstone });
    }
    Ok(videos)
}

/// Removes finished tasks of a video that ended long ago, with their attempts, at most `limit`: those
/// that are done, and of a deleted one all. What is dead of another can still be tried again. Returns
/// how many.
///
/// # Errors
/// [`DbError`].
pub async fn remove_tasks(tx: &Tx, id: Uuid, limit: i64) -> Result<u64, DbError> {
    let rows = tx
        .all(
            sql!(
                "-- task.finished
            SELECT t.id FROM tasks t JOIN videos v ON v.id = t.video_id
            WHERE t.video_id = $1 AND t.ended_at <= $2 AND v.ended_at <= $2 AND (
                v.upload_status = 'completed' AND t.state = 'done' OR
                v.upload_status = 'deleted' AND t.state IN ('done', 'dead', 'cancelled'))
            ORDER BY t.id LIMIT $3"
            ),
            &[&id, &(tx.now() - TASKS), &limit],
        )
        .await?;
    let tasks: Vec<Uuid> = rows.iter().map(|row| row.get("id")).collect();
    remove(tx, &tasks).await
}

async fn remove(tx: &Tx, tasks: &[Uuid]) -> Result<u64, DbError> {
    tx.exec(
        sql!(
            "-- task.remove_waits
        DELETE FROM task_waits WHERE task_id = ANY($1) OR waits_on = ANY($1)"
        ),
        &[&tasks],
    )
    .await?;
    tx.exec(sql!("-- attempt.remove\nDELETE FROM attempts WHERE task_id = ANY($1)"), &[&tasks])
        .await?;
    tx.exec(sql!("-- task.remove\nDELETE FROM tasks WHERE id = ANY($1)"), &[&tasks]).await
}

/// Whether nothing of a deleted video is left but what [`forget`] removes: its deletion is done, and
/// its events have their positions.
async fn is_emptied(tx: &Tx, id: Uuid) -> Result<bool, DbError> {
    let left = tx
        .opt(
            sql!(
                "-- video.left
            SELECT 1 AS one FROM videos v WHERE v.id = $1 AND (
                v.upload_status <> 'deleted'
                OR EXISTS (SELECT 1 FROM tasks WHERE video_id = v.id
                    AND state IN ('waiting', 'ready', 'running'))
                OR EXISTS (SELECT 1 FROM attempts WHERE video_id = v.id AND closed_at IS NULL)
                OR EXISTS (SELECT 1 FROM transcodes WHERE video_id = v.id)
                OR EXISTS (SELECT 1 FROM files WHERE video_id = v.id)
                OR EXISTS (SELECT 1 FROM pins WHERE video_id = v.id)
                OR EXISTS (SELECT 1 FROM events WHERE video_id = v.id AND position IS NULL))"
            ),
            &[&id],
        )
        .await?;
    Ok(left.is_none())
}

/// Removes a part of a tombstone, at most `limit` rows: its tasks, its events and at last itself.
/// Returns whether there is more. The caller has looked whether the bucket holds nothing of it.
///
/// # Errors
/// [`DbError`].
pub async fn forget(tx: &Tx, id: Uuid, limit: i64) -> Result<bool, DbError> {
    let since: Option<OffsetDateTime> = tx
        .opt(
            sql!(
                "-- video.tombstone
            SELECT ended_at FROM videos WHERE id = $1 AND upload_status = 'deleted'"
            ),
            &[&id],
        )
        .await?
        .and_then(|row| row.get("ended_at"));
    let old = since.is_some_and(|since| since <= tx.now() - TOMBSTONE);
    if !old || !is_emptied(tx, id).await? {
        return Ok(false);
    }
    let rows = tx
        .all(
            sql!("-- task.of_tombstone\nSELECT id FROM tasks WHERE video_id = $1 ORDER BY id LIMIT $2"),
            &[&id, &limit],
        )
        .await?;
    if !rows.is_empty() {
        let tasks: Vec<Uuid> = rows.iter().map(|row| row.get("id")).collect();
        remove(tx, &tasks).await?;
        return Ok(true);
    }
    let rows = tx
        .all(
            sql!(
                "-- event.forget
            DELETE FROM events WHERE video_id = $1 AND seq IN
                (SELECT seq FROM events WHERE video_id = $1 ORDER BY seq LIMIT $2)
            RETURNING position"
            ),
            &[&id, &limit],
        )
        .await?;
    if let Some(position) = rows.iter().filter_map(|row| row.get("position")).max() {
        event::raise_removed(tx, position).await?;
        return Ok(true);
    }
    tx.exec(sql!("-- attempt.forget\nDELETE FROM attempts WHERE video_id = $1"), &[&id]).await?;
    tx.exec(sql!("-- video.forget\nDELETE FROM videos WHERE id = $1"), &[&id]).await?;
    Ok(false)
}
