//! Claiming a task, and keeping its lease.

use std::time::Duration;

use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

use super::Kind;
use super::fenced::fenced;
use crate::db::{DbError, Tx, sql};

/// How long a lease lasts without renewal, on the database's clock (design: 30 s, renewed every
/// 10 s).
pub const LEASE: Duration = Duration::from_secs(30);

/// The right to do one task, until its token no longer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    task: Uuid,
    video: Uuid,
    kind: Kind,
    place: i64,
    attempt: i64,
    max_attempts: i64,
    token: Uuid,
    ready_at: OffsetDateTime,
}

impl Lease {
    /// The task's id.
    pub fn task(&self) -> Uuid {
        self.task
    }

    /// The video it is about.
    pub fn video(&self) -> Uuid {
        self.video
    }

    /// What is to be done.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Which of several of its kind: the stretch, the pin.
    pub fn place(&self) -> i64 {
        self.place
    }

    /// Which try this is, from 1.
    pub fn attempt(&self) -> i64 {
        self.attempt
    }

    /// How many tries there are.
    pub fn max_attempts(&self) -> i64 {
        self.max_attempts
    }

    /// How many tries failed before this one, by the count that dead-letters.
    pub fn failures(&self) -> i64 {
        (self.attempt - 1 - (self.max_attempts - self.kind.max_attempts())).max(0)
    }

    /// The token that every statement of the holder repeats.
    pub fn token(&self) -> Uuid {
        self.token
    }

    /// Since when it was ready.
    pub(super) fn ready_at(&self) -> OffsetDateTime {
        self.ready_at
    }

    /// What every object key of this attempt carries: [`suffix`].
    pub fn suffix(&self) -> String {
        suffix(self.token)
    }

    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            task: row.get("id"),
            video: row.get("video_id"),
            kind: Kind::from_name(row.get("kind"))?,
            place: row.get("place"),
            attempt: row.get("attempt"),
            max_attempts: row.get("max_attempts"),
            token: row.get("lease_token"),
            ready_at: row.get("ready_at"),
        })
    }
}

/// What every object key of the attempt with this token carries: its last 6 hex digits.
pub fn suffix(token: Uuid) -> String {
    let hex = token.simple().to_string();
    hex[hex.len() - 6..].to_owned()
}

/// Which tasks a claim may take.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of one of these kinds.
    pub kinds: Vec<Kind>,
    /// Not of these videos, which others may have first.
    pub not: Vec<Uuid>,
    /// Only beginnings of films that have no starter, and that nobody has taken for [`PASSED_OVER`].
    pub unstarted: bool,
}

impl Wanted {
    /// Any task of these kinds.
    pub fn of(kinds: &[Kind]) -> Self {
        Self { kinds: kinds.to_vec(), ..Self::default() }
    }
}

/// How long the beginning of a film waits for a worker that encodes nothing: each looks for tasks every 1 to 4 s.
pub const PASSED_OVER: Duration = Duration::from_secs(5);

/// Claims, of the tasks it may take, the ready one that is due first; `None` when there is none. A stretch is due when
/// somebody who began to watch as it became ready would come to it: segment `place` begins after at most 6 s for each before
/// it. So the beginning of a film goes before the far parts of others, which do not wait for ever, and what was interrupted
/// before what comes after it; a published folder is pinned before an original. The places of pins at services are no order.
/// Only the 1024 that are ready for longest are looked at, some ten films of two hours.
///
/// `token` is a fresh UUIDv4 for each call of `run_tx`: a body that runs again after a commit whose
/// answer was lost finds its own claim.
///
/// # Errors
/// [`DbError`].
pub async fn claim(
    tx: &Tx,
    token: Uuid,
    worker: &str,
    wanted: &Wanted,
) -> Result<Option<Lease>, DbError> {
    let kinds: Vec<&str> = wanted.kinds.iter().map(|k| k.name()).collect();
    let mine = tx
        .opt(
            sql!(
                "-- task.claimed
            SELECT id, video_id, kind, place, attempt, max_attempts, lease_token, ready_at FROM tasks
            WHERE lease_token = $1"
            ),
            &[&token],
        )
        .await?;
    if let Some(row) = mine {
        return Lease::read(&row).map(Some);
    }
    let claimed = tx
        .opt(
            sql!(
                "-- task.claim
            UPDATE tasks SET state = 'running', lease_token = $1, lease_until = $2,
                attempt = attempt + 1, updated_at = $3
            WHERE state = 'ready' AND id = (
                SELECT id FROM
                    (SELECT id, ready_at, CASE WHEN kind = 'pin_service' THEN 0 ELSE place END AS place
                    FROM tasks
                    WHERE state = 'ready' AND ready_at <= $3 AND kind = ANY($4) AND NOT video_id = ANY($5)
                        AND (NOT $6 OR (place = 0 AND ready_at <= $7 AND NOT EXISTS
                            (SELECT 1 FROM tasks s WHERE s.video_id = tasks.video_id AND s.kind = 'starter')))
                    ORDER BY ready_at, id LIMIT 1024) AS oldest
                ORDER BY extract(epoch FROM ready_at)::INT8 + place * 6, place, ready_at, id
                LIMIT 1)
            RETURNING id, video_id, kind, place, attempt, max_attempts, lease_token, ready_at"
            ),
            &[
                &token,
                &(tx.now() + LEASE),
                &tx.now(),
                &kinds,
                &wanted.not,
                &wanted.unstarted,
                &(tx.now() - PASSED_OVER),
            ],
        )
        .await?;
    let Some(row) = claimed else { return Ok(None) };
    let lease = Lease::read(&row)?;
    tx.exec(
        sql!(
            "-- attempt.open
        INSERT INTO attempts (task_id, attempt, token, video_id, worker, started_at)
        VALUES ($1, $2, $3, $4, $5, $6)"
        ),
        &[&lease.task, &lease.attempt, &lease.token, &lease.video, &worker, &tx.now()],
    )
    .await?;
    Ok(Some(lease))
}

/// Prolongs a lease by [`LEASE`] from now.
///
/// # Errors
/// [`DbError::LeaseLost`] when the token no longer stands.
pub async fn renew(tx: &Tx, lease: &Lease) -> Result<(), DbError> {
    let renewed = tx
        .exec(
            fenced(sql!(
                "-- task.renew
                UPDATE tasks SET lease_until = $3 WHERE id = $1 AND lease_token = $2"
            )),
            &[&lease.task, &lease.token, &(tx.now() + LEASE)],
        )
        .await?;
    if renewed == 1 { Ok(()) } else { Err(DbError::LeaseLost) }
}
