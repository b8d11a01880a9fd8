//! The table `unpins`: content that an IPFS node or a service is to let go of, now that no pin needs it.
//!
//! A row comes in the transaction that removes a pin, and goes once the node has surely let go. The
//! janitor makes it `releasing` before it tells the node, in a transaction that sees every pin; whose
//! content is being released, a pin waits. SERIALIZABLE decides which of the two is first, and so a
//! pin that is recorded is never let go by a call that began earlier.
//!
//! Calls outlive their senders. A row stays `releasing` as long as one may still arrive whose answer
//! is not known; and it stays at all until no pin of a worker that lost its right can still arrive,
//! after which the content is let go once more.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::{DbError, Tx, sql};
use crate::ipfs::{ANSWER, PIN};
use crate::task::LEASE;

/// A call to a node is sent at most so long, by its sender's clock, after the transaction that made
/// its row `releasing` was sent: whoever is slower drops it.
pub const SENT: Duration = Duration::from_secs(20);

/// What clocks and transactions may add.
const SLACK: Duration = Duration::from_secs(10);

/// How long after [`take`] the node may still let go of a pin by a call whose answer is not known.
const RELEASED: Duration = SENT.saturating_add(ANSWER).saturating_add(SLACK);

/// The same for [`LOOSE`]: who waits for the answer may be late by as much.
const COLLECTED: Duration = SENT.saturating_add(PIN).saturating_add(PIN).saturating_add(SLACK);

/// How long after its pin is gone from the table a worker's call may still pin a content: it works on
/// for a lease at most, and the node takes its time.
pub const LATE_PIN: Duration = LEASE.saturating_add(PIN).saturating_add(SLACK);

/// How long collecting waits for pins that are being made.
const BUSY: Duration = Duration::from_secs(5);

/// How long what a service is to let go of waits for one that the settings name no more: a week, in
/// which somebody may notice that it was left out by mistake.
pub const GONE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Stands in place of a content id for all blocks of a node that no pin holds.
pub const LOOSE: &str = "";

/// Something to be let go of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpin {
    /// Which node or service.
    pub target: String,
    /// The content id, or [`LOOSE`].
    pub cid: String,
}

/// Notes that a target is to let go of a content, in the transaction that removes its pin.
///
/// # Errors
/// [`DbError`].
pub async fn insert(tx: &Tx, target: &str, cid: &str) -> Result<(), DbError> {
    note(tx, target, cid, tx.now() + LATE_PIN).await
}

/// Notes that a target holds blocks which no pin holds any more.
///
/// # Errors
/// [`DbError`].
pub async fn loosened(tx: &Tx, target: &str) -> Result<(), DbError> {
    note(tx, target, LOOSE, tx.now()).await
}

async fn note(tx: &Tx, target: &str, cid: &str, settles: OffsetDateTime) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- unpin.insert
        INSERT INTO unpins (target, cid, state, ready_at, settles_at, created_at, updated_at)
        VALUES ($1, $2, 'waiting', $3, $4, $3, $3)
        ON CONFLICT (target, cid) DO UPDATE SET
            settles_at = GREATEST(unpins.settles_at, excluded.settles_at),
            ready_at = CASE WHEN unpins.state = 'waiting'
                THEN LEAST(unpins.ready_at, excluded.ready_at) ELSE unpins.ready_at END"
        ),
        &[&target, &cid, &tx.now(), &settles],
    )
    .await?;
    Ok(())
}

/// What is due now at these targets, oldest first, at most `limit`, with whether it is still in use:
/// then [`take`] would not release it.
///
/// # Errors
/// [`DbError`].
pub async fn due(tx: &Tx, targets: &[String], limit: i64) -> Result<Vec<(Unpin, bool)>, DbError> {
    look(tx, None, targets, limit).await
}

/// Forgets what targets are to let go of that are none of these, once nobody could tell them for
/// [`GONE`]. Returns it.
///
/// # Errors
/// [`DbError`].
pub async fn give_up(tx: &Tx, targets: &[String]) -> Result<Vec<Unpin>, DbError> {
    let rows = tx
        .all(
            sql!(
                "-- unpin.give_up
            DELETE FROM unpins
            WHERE ready_at < $2 AND created_at < $2 AND target <> 'node' AND NOT target = ANY($1)
            RETURNING target, cid"
            ),
            &[&targets, &(tx.now() - GONE)],
        )
        .await?;
    Ok(rows.iter().map(|row| Unpin { target: row.get("target"), cid: row.get("cid") }).collect())
}

/// Takes what is due at these targets, at most `limit` of each, so that none holds up the others, and
/// makes it `releasing` under the name `call`, fresh for each call of `run_tx`. What a pin needs again
/// is forgotten instead, and [`LOOSE`] blocks are put off while a pin is being made.
///
/// # Errors
/// [`DbError`].
pub async fn take(
    tx: &Tx,
    call: Uuid,
    targets: &[String],
    limit: i64,
) -> Result<Vec<Unpin>, DbError> {
    let mut taken = Vec::new();
    let mut due = Vec::new();
    for target in targets {
        due.extend(look(tx, Some(call), std::slice::from_ref(target), limit).await?);
    }
    for (unpin, in_use) in due {
        if in_use {
            leave(tx, &unpin).await?;
            continue;
        }
        let arrives = tx.now() + if unpin.cid == LOOSE { COLLECTED } else { RELEASED };
        tx.exec_one(
            "what is to be unpinned",
            sql!(
                "-- unpin.take
            UPDATE unpins SET state = 'releasing', call = $3, ready_at = $4, updated_at = $5
            WHERE target = $1 AND cid = $2"
            ),
            &[&unpin.target, &unpin.cid, &call, &arrives, &tx.now()],
        )
        .await?;
        taken.push(unpin);
    }
    Ok(taken)
}

async fn look(
    tx: &Tx,
    call: Option<Uuid>,
    targets: &[String],
    limit: i64,
) -> Result<Vec<(Unpin, bool)>, DbError> {
    // A body that runs again after a commit whose answer was lost finds its own.
    let rows = tx
        .all(
            sql!(
                "-- unpin.due
            SELECT target, cid FROM unpins
            WHERE (ready_at <= $1 OR call = $2) AND target = ANY($3)
            ORDER BY ready_at, target, cid LIMIT $4"
            ),
            &[&tx.now(), &call, &targets, &limit],
        )
        .await?;
    let mut due = Vec::with_capacity(rows.len());
    for row in rows {
        let unpin = Unpin { target: row.get("target"), cid: row.get("cid") };
        let in_use = in_use(tx, &unpin).await?;
        due.push((unpin, in_use));
    }
    Ok(due)
}

/// Whether a pin of a video that is not deleted needs a content; for [`LOOSE`] blocks, whether a pin
/// is being made.
async fn in_use(tx: &Tx, unpin: &Unpin) -> Result<bool, DbError> {
    let found = if unpin.cid == LOOSE {
        tx.opt(
            sql!(
                "-- unpin.pinning
            SELECT 1 AS one FROM tasks WHERE state = 'running' AND kind = 'pin' LIMIT 1"
            ),
            &[],
        )
        .await?
    } else {
        tx.opt(
            sql!(
                "-- unpin.wanted
            SELECT 1 AS one FROM pins p JOIN videos v ON v.id = p.video_id
            WHERE p.target = $1 AND (p.cid = $2 OR p.replaces = $2)
                AND v.upload_status <> 'deleted' LIMIT 1"
            ),
            &[&unpin.target, &unpin.cid],
        )
        .await?
    };
    Ok(found.is_some())
}

async fn leave(tx: &Tx, unpin: &Unpin) -> Result<(), DbError> {
    if unpin.cid != LOOSE {
        return remove(tx, unpin).await;
    }
    tx.exec(
        sql!(
            "-- unpin.put_off
        UPDATE unpins SET state = 'waiting', call = NULL, ready_at = $3, updated_at = $4
        WHERE target = $1 AND cid = $2"
        ),
        &[&unpin.target, &unpin.cid, &(tx.now() + BUSY), &tx.now()],
    )
    .await?;
    Ok(())
}

/// Forgets something: it is let go, or can never be.
///
/// # Errors
/// [`DbError`].
pub async fn remove(tx: &Tx, unpin: &Unpin) -> Result<(), DbError> {
    tx.exec(
        sql!("-- unpin.remove\nDELETE FROM unpins WHERE target = $1 AND cid = $2"),
        &[&unpin.target, &unpin.cid],
    )
    .await?;
    Ok(())
}

/// The node has answered that it let go, to the call of this name. The row goes, or waits for the last
/// time when a late pin may still arrive. Nothing happens when another took it meanwhile. Returns
/// whether it was this call's.
///
/// # Errors
/// [`DbError`].
pub async fn released(tx: &Tx, unpin: &Unpin, call: Uuid) -> Result<bool, DbError> {
    let row = tx
        .opt(
            sql!(
                "-- unpin.released
            SELECT updated_at, settles_at FROM unpins
            WHERE target = $1 AND cid = $2 AND state = 'releasing' AND call = $3"
            ),
            &[&unpin.target, &unpin.cid, &call],
        )
        .await?;
    let Some(row) = row else { return Ok(false) };
    let (began, settles): (OffsetDateTime, OffsetDateTime) =
        (row.get("updated_at"), row.get("settles_at"));
    if began >= settles {
        remove(tx, unpin).await?;
    } else {
        tx.exec(
            sql!(
                "-- unpin.once_more
            UPDATE unpins SET state = 'waiting', call = NULL, ready_at = settles_at, updated_at = $3
            WHERE target = $1 AND cid = $2"
            ),
            &[&unpin.target, &unpin.cid, &tx.now()],
        )
        .await?;
    }
    Ok(true)
}

/// Whether a target may be letting go of a content now, or collecting its loose blocks.
///
/// # Errors
/// [`DbError`].
pub async fn is_releasing(tx: &Tx, target: &str, cid: &str) -> Result<bool, DbError> {
    let found = tx
        .opt(
            sql!(
                "-- unpin.is_releasing
            SELECT 1 AS one FROM unpins
            WHERE target = $1 AND cid IN ($2, '') AND state = 'releasing' LIMIT 1"
            ),
            &[&target, &cid],
        )
        .await?;
    Ok(found.is_some())
}
