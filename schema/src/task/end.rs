//! Ending an attempt: finished, given back, refused, deferred, cancelled, or swept away.

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::enqueue::{NewTask, enqueue, release};
use super::fenced::fenced;
use super::{Kind, Lease, State};
use crate::db::{DbError, Tx, sql};
use crate::failure::Failure;

/// The most characters of a cause that are kept; the log has the whole.
const CAUSE: usize = 1000;

/// What became of a task whose attempt ended without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The task's video.
    pub video: Uuid,
    /// What it was to do.
    pub kind: Kind,
    /// Its place among its kind.
    pub place: i64,
    /// [`State::Ready`] for another attempt, or [`State::Dead`].
    pub state: State,
}

/// The first statement of every transaction of a worker: fences it off when its token no longer
/// stands.
///
/// # Errors
/// [`DbError::LeaseLost`].
pub async fn guard(tx: &Tx, lease: &Lease) -> Result<(), DbError> {
    let standing = tx
        .exec(
            fenced(sql!(
                "-- task.guard
                UPDATE tasks SET updated_at = $3 WHERE id = $1 AND lease_token = $2"
            )),
            &[&lease.task(), &lease.token(), &tx.now()],
        )
        .await?;
    if standing == 1 { Ok(()) } else { Err(DbError::LeaseLost) }
}

/// [`guard`] for an attempt that has just stored something: it and those before it do not count any
/// more, so that a long encode may be interrupted any number of times as long as it moves on. Returns
/// where the task's stretch ends now.
///
/// # Errors
/// [`DbError::LeaseLost`].
pub async fn progressed(tx: &Tx, lease: &Lease) -> Result<Option<u32>, DbError> {
    let standing = tx
        .opt(
            fenced(sql!(
                "-- task.progressed
                UPDATE tasks SET updated_at = $3, max_attempts = attempt + $4
                WHERE id = $1 AND lease_token = $2 RETURNING until"
            )),
            &[&lease.task(), &lease.token(), &tx.now(), &lease.kind().max_attempts()],
        )
        .await?
        .ok_or(DbError::LeaseLost)?;
    Ok(super::split::until(&standing))
}

/// Ends a task with success and makes ready what waited for it alone.
///
/// # Errors
/// [`DbError::LeaseLost`] when the token no longer stands.
pub async fn finish(tx: &Tx, lease: &Lease) -> Result<(), DbError> {
    leave(tx, lease, State::Done, time::Duration::ZERO, None).await?;
    unwait(tx, lease.task(), lease.video()).await
}

/// Lets go what waited for a task, which is done or which nothing may wait for any more.
async fn unwait(tx: &Tx, task: Uuid, video: Uuid) -> Result<(), DbError> {
    tx.exec(sql!("-- task.unwait\nDELETE FROM task_waits WHERE waits_on = $1"), &[&task]).await?;
    release(tx, video).await
}

/// Ends an attempt that failed for a cause of ours: the task becomes ready again after `wait`, or
/// is dead-lettered when this was its last attempt.
///
/// # Errors
/// [`DbError::LeaseLost`].
pub async fn give_back(
    tx: &Tx,
    lease: &Lease,
    wait: time::Duration,
    cause: &str,
) -> Result<Ended, DbError> {
    let standing = tx
        .opt(
            fenced(sql!(
                "-- task.standing
                UPDATE tasks SET updated_at = $3 WHERE id = $1 AND lease_token = $2
                RETURNING max_attempts"
            )),
            &[&lease.task(), &lease.token(), &tx.now()],
        )
        .await?
        .ok_or(DbError::LeaseLost)?;
    // Not the lease's: what was stored since counts.
    let state = State::Running.missed(lease.attempt(), standing.get("max_attempts"));
    let error = serde_json::json!({ "cause": cause.chars().take(CAUSE).collect::<String>() });
    leave(tx, lease, state, wait, Some(error)).await?;
    Ok(Ended { video: lease.video(), kind: lease.kind(), place: lease.place(), state })
}

/// Ends a task for a cause of theirs: no other attempt can help.
///
/// # Errors
/// [`DbError::LeaseLost`].
pub async fn refuse(tx: &Tx, lease: &Lease, failure: &Failure) -> Result<(), DbError> {
    let error = serde_json::to_value(failure)
        .map_err(|source| DbError::Stored { what: "error", source })?;
    leave(tx, lease, State::Dead, time::Duration::ZERO, Some(error)).await
}

/// Puts a task off without counting it as failed: it becomes ready again after `wait`.
///
/// # Errors
/// [`DbError::LeaseLost`].
pub async fn defer(tx: &Tx, lease: &Lease, wait: time::Duration) -> Result<(), DbError> {
    leave(tx, lease, State::Ready, wait, None).await?;
    tx.exec(
        sql!(
            "-- task.uncount
        UPDATE tasks SET max_attempts = max_attempts + 1 WHERE id = $1"
        ),
        &[&lease.task()],
    )
    .await?;
    // One that looks every ten minutes for days would leave a row each time; it stores no objects,
    // so nobody needs to know of them.
    if lease.kind() == Kind::PinService {
        tx.exec(
            sql!(
                "-- attempt.unneeded
            DELETE FROM attempts WHERE task_id = $1 AND attempt = $2"
            ),
            &[&lease.task(), &lease.attempt()],
        )
        .await?;
    }
    Ok(())
}

async fn leave(
    tx: &Tx,
    lease: &Lease,
    state: State,
    wait: time::Duration,
    error: Option<Value>,
) -> Result<(), DbError> {
    let ended_at = match state {
        State::Done | State::Dead | State::Cancelled => Some(tx.now()),
        State::Waiting | State::Ready | State::Running => None,
    };
    let ready_at = if wait.is_zero() { ready_again(lease.ready_at()) } else { tx.now() + wait };
    let left = tx
        .exec(
            fenced(sql!(
                "-- task.leave
                UPDATE tasks SET state = $3, ready_at = $4, announced_at = NULL, lease_token = NULL,
                    lease_until = NULL, error = $5, updated_at = $6, ended_at = $7
                WHERE id = $1 AND lease_token = $2"
            )),
            &[
                &lease.task(),
                &lease.token(),
                &state.name(),
                &ready_at,
                &error,
                &tx.now(),
                &ended_at,
            ],
        )
        .await?;
    if left != 1 {
        return Err(DbError::LeaseLost);
    }
    close(tx, lease.task(), lease.attempt()).await?;
    if state == State::Dead && !lease.kind().fails_video() {
        unwait(tx, lease.task(), lease.video()).await?;
    }
    Ok(())
}

/// When a task becomes ready once nobody has it any more and nothing is to be waited for: when it was, so that it keeps its
/// turn, but for the microsecond that makes its announcement another one.
fn ready_again(ready_at: OffsetDateTime) -> OffsetDateTime {
    ready_at + time::Duration::MICROSECOND
}

async fn close(tx: &Tx, task: Uuid, attempt: i64) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- attempt.close
        UPDATE attempts SET closed_at = $3
        WHERE task_id = $1 AND attempt = $2 AND closed_at IS NULL"
        ),
        &[&task, &attempt, &tx.now()],
    )
    .await?;
    Ok(())
}

/// Takes tasks from workers that let their lease expire: each becomes ready again, or is
/// dead-lettered. At most `limit`; the caller decides what a dead one means for its video.
///
/// # Errors
/// [`DbError`].
pub async fn sweep(tx: &Tx, limit: i64) -> Result<Vec<Ended>, DbError> {
    let expired = tx
        .all(
            sql!(
                "-- task.expired
            SELECT id, video_id, kind, place, attempt, max_attempts, ready_at FROM tasks
            WHERE state = 'running' AND lease_until < $1 ORDER BY lease_until LIMIT $2"
            ),
            &[&tx.now(), &limit],
        )
        .await?;
    let mut ended = Vec::with_capacity(expired.len());
    for row in expired {
        let (task, attempt): (Uuid, i64) = (row.get("id"), row.get("attempt"));
        let (kind, most) = (Kind::from_name(row.get("kind"))?, row.get("max_attempts"));
        let state = State::Running.missed(attempt, most);
        // What stored nothing may be what killed its worker, and goes behind all others.
        let moved_on = most == attempt + kind.max_attempts();
        let ready_at = if moved_on { ready_again(row.get("ready_at")) } else { tx.now() };
        tx.exec_one(
            "the task",
            sql!(
                "-- task.sweep
            UPDATE tasks SET state = $2, ready_at = $6, announced_at = NULL, lease_token = NULL,
                lease_until = NULL, error = $4, updated_at = $3,
                ended_at = CASE WHEN $2 = 'dead' THEN $3 ELSE ended_at END
            WHERE id = $1 AND state = 'running' AND attempt = $5 AND lease_until < $3"
            ),
            &[
                &task,
                &state.name(),
                &tx.now(),
                &serde_json::json!({ "cause": "the lease expired" }),
                &attempt,
                &ready_at,
            ],
        )
        .await?;
        close(tx, task, attempt).await?;
        let video = row.get("video_id");
        if state == State::Dead && !kind.fails_video() {
            unwait(tx, task, video).await?;
        }
        ended.push(Ended { video, kind, place: row.get("place"), state });
    }
    Ok(ended)
}

/// Ends every task of a video that has not ended, and closes their attempts.
///
/// # Errors
/// [`DbError`].
pub async fn cancel_all(tx: &Tx, video: Uuid) -> Result<(), DbError> {
    cancel(tx, video, &Kind::ALL).await
}

/// As [`cancel_all`], but pins go on: what they keep is there whatever became of the video.
///
/// # Errors
/// [`DbError`].
pub async fn cancel_work(tx: &Tx, video: Uuid) -> Result<(), DbError> {
    let stays = |kind: &Kind| matches!(kind, Kind::Pin | Kind::PinService | Kind::Delete);
    let work = Kind::ALL.into_iter().filter(|kind| !stays(kind));
    cancel(tx, video, &work.collect::<Vec<_>>()).await
}

async fn cancel(tx: &Tx, video: Uuid, kinds: &[Kind]) -> Result<(), DbError> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    tx.exec(
        sql!(
            "-- task.cancel
        UPDATE tasks SET state = 'cancelled', lease_token = NULL, lease_until = NULL,
            updated_at = $2, ended_at = $2
        WHERE video_id = $1 AND kind = ANY($3) AND state IN ('waiting', 'ready', 'running')"
        ),
        &[&video, &tx.now(), &kinds],
    )
    .await?;
    close_idle(tx, video).await
}

/// Takes a video's tasks of one kind from whoever works on them; they are ready again.
///
/// # Errors
/// [`DbError`].
pub async fn take_back(tx: &Tx, video: Uuid, kind: Kind) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- task.take_back
        UPDATE tasks SET state = 'ready', lease_token = NULL, lease_until = NULL, ready_at = $3,
            announced_at = NULL, max_attempts = max_attempts + 1, updated_at = $3
        WHERE video_id = $1 AND kind = $2 AND state = 'running'"
        ),
        &[&video, &kind.name(), &tx.now()],
    )
    .await?;
    close_idle(tx, video).await
}

/// Makes a task ready once more, with a full number of attempts, whoever works on it and however it
/// ended; adds it when the video has none such.
///
/// # Errors
/// [`DbError`].
pub async fn again(tx: &Tx, video: Uuid, kind: Kind, place: i64) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- task.again
        UPDATE tasks SET state = 'ready', lease_token = NULL, lease_until = NULL, ready_at = $4,
            announced_at = NULL, max_attempts = attempt + $5, error = NULL, ended_at = NULL,
            updated_at = $4
        WHERE video_id = $1 AND kind = $2 AND place = $3
            AND state IN ('running', 'done', 'dead', 'cancelled')"
        ),
        &[&video, &kind.name(), &place, &tx.now(), &kind.max_attempts()],
    )
    .await?;
    close_idle(tx, video).await?;
    enqueue(tx, video, &NewTask::at(kind, place)).await
}

/// Makes ready tasks that were put off claimable now.
///
/// # Errors
/// [`DbError`].
pub async fn hasten(tx: &Tx, video: Uuid, kind: Kind, places: &[i64]) -> Result<(), DbError> {
    tx.exec(
        sql!("-- task.hasten
        UPDATE tasks SET ready_at = $4, announced_at = NULL, updated_at = $4
        WHERE video_id = $1 AND kind = $2 AND place = ANY($3) AND state = 'ready' AND ready_at > $4"),
        &[&video, &kind.name(), &places, &tx.now()],
    )
    .await?;
    Ok(())
}

/// Closes the attempts of a video's tasks that nobody works on.
async fn close_idle(tx: &Tx, video: Uuid) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- attempt.close_idle
        UPDATE attempts SET closed_at = $2
        WHERE video_id = $1 AND closed_at IS NULL
            AND task_id IN (SELECT id FROM tasks WHERE video_id = $1 AND state <> 'running')"
        ),
        &[&video, &tx.now()],
    )
    .await?;
    Ok(())
}

/// How long until every attempt for this video, but those of the lease's own task, has been closed
/// for `settled`; `None` when that is so now.
///
/// # Errors
/// [`DbError::LeaseLost`].
pub async fn unsettled(
    tx: &Tx,
    lease: &Lease,
    settled: time::Duration,
) -> Result<Option<time::Duration>, DbError> {
    guard(tx, lease).await?;
    let row = tx
        .opt(
            sql!(
                "-- attempt.last
            SELECT COALESCE(closed_at, $3) AS closed_at FROM attempts
            WHERE video_id = $1 AND task_id <> $2
            ORDER BY COALESCE(closed_at, $3) DESC LIMIT 1"
            ),
            &[&lease.video(), &lease.task(), &tx.now()],
        )
        .await?;
    let last: Option<time::OffsetDateTime> = row.map(|row| row.get("closed_at"));
    Ok(last.map(|last| last + settled - tx.now()).filter(|wait| wait.is_positive()))
}
