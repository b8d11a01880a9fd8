//! Stretches: where the one of a task ends, and taking the far part of it away.

use tokio_postgres::Row;
use uuid::Uuid;

use super::enqueue::{NewTask, enqueue};
use super::{Kind, Lease};
use crate::db::{DbError, Tx, sql};

/// A stretch that somebody encodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy {
    /// The task.
    pub task: Uuid,
    /// Its video.
    pub video: Uuid,
    /// Sequence of the stretch's first segment.
    pub first: u32,
    /// Sequence of the first segment after it; `None`: it ends with the film.
    pub until: Option<u32>,
    /// Sequence of the first segment that some rung lacks.
    pub reached: u32,
    /// Sequence of the first segment behind all that any rung has.
    pub free: u32,
}

/// The end of a task's stretch as a row tells it.
pub(super) fn until(row: &Row) -> Option<u32> {
    row.get::<_, Option<i64>>("until").and_then(|until| u32::try_from(until).ok())
}

/// Where the stretch of the lease's task ends: sequence of the first segment after it; `None`: with the film.
///
/// # Errors
/// [`DbError::LeaseLost`].
pub async fn end(tx: &Tx, lease: &Lease) -> Result<Option<u32>, DbError> {
    let row = tx
        .opt(
            sql!(
                "-- task.until
            SELECT until FROM tasks WHERE id = $1 AND lease_token = $2"
            ),
            &[&lease.task(), &lease.token()],
        )
        .await?
        .ok_or(DbError::LeaseLost)?;
    Ok(until(&row))
}

/// The stretches that are being encoded and may be divided (other films have no starter), at most `limit`, longest at work first.
///
/// # Errors
/// [`DbError`].
pub async fn busy(tx: &Tx, limit: i64) -> Result<Vec<Busy>, DbError> {
    let rows = tx
        .all(
            sql!(
                "-- task.busy
            SELECT t.id, t.video_id, t.place, t.until,
                (SELECT min(done) FROM
                    (SELECT (SELECT COALESCE(max(s.sequence) + 1, t.place) FROM transcode_segments s
                        WHERE s.transcode_id = r.id AND s.sequence >= t.place
                            AND (t.until IS NULL OR s.sequence < t.until)) AS done
                    FROM transcodes r WHERE r.video_id = t.video_id AND r.format = 'hls'
                        AND r.type = 'transcode' AND r.resolution <> 'audio') AS rungs) AS reached,
                (SELECT COALESCE(max(s.sequence) + 1, t.place) FROM transcode_segments s
                    JOIN transcodes r ON s.transcode_id = r.id
                    WHERE r.video_id = t.video_id AND r.format = 'hls' AND r.type = 'transcode'
                        AND r.resolution <> 'audio' AND s.sequence >= t.place
                        AND (t.until IS NULL OR s.sequence < t.until)) AS done
            FROM tasks t
            WHERE t.state = 'running' AND t.kind = 'encode'
                AND (t.until IS NOT NULL OR EXISTS
                    (SELECT 1 FROM tasks s WHERE s.video_id = t.video_id AND s.kind = 'starter'))
            ORDER BY t.lease_until LIMIT $1"
            ),
            &[&limit],
        )
        .await?;
    let number = |row: &Row, name: &str| {
        row.get::<_, Option<i64>>(name).and_then(|number| u32::try_from(number).ok())
    };
    Ok(rows
        .iter()
        .filter_map(|row| {
            Some(Busy {
                task: row.get("id"),
                video: row.get("video_id"),
                first: number(row, "place")?,
                until: until(row),
                reached: number(row, "reached")?,
                free: number(row, "done")?,
            })
        })
        .collect())
}

/// Ends a stretch at segment `at` and makes what lies behind it a task of its own, ready to be claimed. Returns
/// false, and does nothing, when the stretch is not what it was or somebody stored a segment from `at` on.
///
/// # Errors
/// [`DbError`].
pub async fn split(tx: &Tx, busy: &Busy, at: u32) -> Result<bool, DbError> {
    if at <= busy.reached || busy.until.is_some_and(|until| at >= until) {
        return Ok(false);
    }
    let cut = tx
        .exec(
            sql!(
                "-- task.split
            UPDATE tasks SET until = $2, updated_at = $3
            WHERE id = $1 AND kind = 'encode' AND state = 'running'
                AND (until = $4::INT8 OR (until IS NULL AND $4::INT8 IS NULL))
                AND NOT EXISTS (SELECT 1 FROM transcode_segments s
                    JOIN transcodes r ON s.transcode_id = r.id
                    WHERE r.video_id = tasks.video_id AND r.format = 'hls'
                        AND r.type = 'transcode' AND r.resolution <> 'audio'
                        AND s.sequence >= $2 AND ($4::INT8 IS NULL OR s.sequence < $4))"
            ),
            &[&busy.task, &i64::from(at), &tx.now(), &busy.until.map(i64::from)],
        )
        .await?;
    if cut == 0 {
        return Ok(false);
    }
    let tail = NewTask { kind: Kind::Encode, place: at.into(), until: busy.until, after: &[] };
    enqueue(tx, busy.video, &tail).await?;
    hold_packaging(tx, busy.video).await?;
    Ok(true)
}

/// Lets the packaging of a video wait for every stretch of it that is not done.
///
/// # Errors
/// [`DbError`].
pub(super) async fn hold_packaging(tx: &Tx, video: Uuid) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- task.hold_packaging
        INSERT INTO task_waits (task_id, waits_on)
        SELECT p.id, e.id FROM tasks p, tasks e
        WHERE p.video_id = $1 AND p.kind = 'package' AND p.state = 'waiting'
            AND e.video_id = $1 AND e.kind = 'encode' AND e.state <> 'done'
        ON CONFLICT (task_id, waits_on) DO NOTHING"
        ),
        &[&video],
    )
    .await?;
    Ok(())
}

/// Whether no stretch of a video is left to be encoded.
///
/// # Errors
/// [`DbError`].
pub async fn were_all_stretches(tx: &Tx, video: Uuid) -> Result<bool, DbError> {
    let left = tx
        .opt(
            sql!(
                "-- task.stretch_left
            SELECT id FROM tasks WHERE video_id = $1 AND kind = 'encode' AND state <> 'done' LIMIT 1"
            ),
            &[&video],
        )
        .await?;
    Ok(left.is_none())
}

/// Replaces all that encodes the picture of a video, whoever works on it, by one task for the whole of it.
///
/// # Errors
/// [`DbError`].
pub async fn one_stretch(tx: &Tx, video: Uuid) -> Result<(), DbError> {
    let gone = ["starter", "encode", "copy"];
    tx.exec(
        sql!(
            "-- attempt.close_gone
        UPDATE attempts SET closed_at = $2 WHERE video_id = $1 AND closed_at IS NULL
            AND task_id IN (SELECT id FROM tasks WHERE video_id = $1 AND kind = ANY($3))"
        ),
        &[&video, &tx.now(), &&gone[..]],
    )
    .await?;
    // One condition each: with both in one, the whole table is read.
    tx.exec(
        sql!(
            "-- task.unwait_gone
            DELETE FROM task_waits WHERE waits_on IN
                (SELECT id FROM tasks WHERE video_id = $1 AND kind = ANY($2))"
        ),
        &[&video, &&gone[..]],
    )
    .await?;
    tx.exec(
        sql!(
            "-- task.gone_waits
            DELETE FROM task_waits WHERE task_id IN
                (SELECT id FROM tasks WHERE video_id = $1 AND kind = ANY($2))"
        ),
        &[&video, &&gone[..]],
    )
    .await?;
    tx.exec(
        sql!(
            "-- task.remove_gone
        DELETE FROM tasks WHERE video_id = $1 AND kind = ANY($2)"
        ),
        &[&video, &&gone[..]],
    )
    .await?;
    // Without its waits for the moment, the packaging must not be released before it has the new one.
    let id = tx.new_id();
    tx.exec(
        sql!(
            "-- task.one_stretch
        INSERT INTO tasks (id, video_id, kind, place, state, max_attempts, ready_at, created_at,
            updated_at)
        VALUES ($1, $2, 'encode', 0, 'waiting', $3, $4, $4, $4)"
        ),
        &[&id, &video, &Kind::Encode.max_attempts(), &tx.now()],
    )
    .await?;
    hold_packaging(tx, video).await?;
    super::enqueue::release(tx, video).await
}
