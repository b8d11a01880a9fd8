//! The order of all events: positions, which the relay alone assigns.
//!
//! Positions come from a row that each transaction that assigns some updates, so they are
//! committed in their order: who has read up to one never meets a lower one later. A SEQUENCE, which
//! numbers before the commit, would let a cursor skip late commits.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use time::OffsetDateTime;
use uuid::Uuid;

use super::Numbered;
use crate::db::{DbError, Tx, sql};

/// An event in the order of all videos' events.
#[derive(Debug, Clone, PartialEq)]
pub struct Positioned {
    /// From 1, rising; without gaps but for videos whose tombstone was removed.
    pub position: i64,
    /// Whose event it is.
    pub video: Uuid,
    /// The event.
    pub event: Numbered,
}

/// How far the order of all events reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Positions {
    /// The last that was assigned; 0 when none was.
    pub last: i64,
    /// The highest whose event was removed with its video's tombstone: who has read less far than
    /// this may have missed something; 0 when none was.
    pub removed: i64,
}

/// An event without a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unnumbered {
    /// When it was stored.
    pub at: OffsetDateTime,
    /// Whose event it is.
    pub video: Uuid,
    /// Its number among those of its video.
    pub seq: i64,
}

/// What a call of [`number`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Numbering {
    /// How many events got a position.
    pub numbered: usize,
    /// There may be more.
    pub more: bool,
}

/// The order in which events get their positions: by time, but a video's own by its numbers,
/// whatever clocks did.
///
/// Each video keeps the places that its events have by time, and they fill them by number.
pub fn in_order(mut events: Vec<Unnumbered>) -> Vec<(Uuid, i64)> {
    events.sort_unstable();
    let mut numbers: BTreeMap<Uuid, BTreeSet<i64>> = BTreeMap::new();
    for event in &events {
        numbers.entry(event.video).or_default().insert(event.seq);
    }
    let mut numbers: BTreeMap<Uuid, VecDeque<i64>> =
        numbers.into_iter().map(|(video, seqs)| (video, seqs.into_iter().collect())).collect();
    events
        .into_iter()
        .filter_map(|event| Some((event.video, numbers.get_mut(&event.video)?.pop_front()?)))
        .collect()
}

/// Gives positions to events that have none, about `limit` at most. The caller holds the relay's
/// lease in this transaction.
///
/// # Errors
/// [`DbError`].
pub async fn number(tx: &Tx, limit: i64) -> Result<Numbering, DbError> {
    let oldest = tx
        .all(
            sql!(
                "-- event.unnumbered
            SELECT at, video_id, seq FROM events WHERE position IS NULL
            ORDER BY at, video_id, seq LIMIT $1"
            ),
            &[&limit],
        )
        .await?;
    if oldest.is_empty() {
        return Ok(Numbering::default());
    }
    let mut more = rows(&oldest) == limit;
    let mut events: BTreeSet<Unnumbered> = oldest.iter().map(Unnumbered::read).collect();
    let mut highest: BTreeMap<Uuid, i64> = BTreeMap::new();
    for event in &events {
        let seq = highest.entry(event.video).or_default();
        *seq = event.seq.max(*seq);
    }
    let (videos, seqs): (Vec<Uuid>, Vec<i64>) = highest.into_iter().unzip();
    let lower = tx
        .all(
            sql!(
                "-- event.unnumbered_lower
            SELECT at, events.video_id, events.seq FROM events
            JOIN unnest($1::UUID[], $2::INT8[]) AS known (video_id, seq)
                ON events.video_id = known.video_id AND events.seq <= known.seq
            WHERE position IS NULL ORDER BY events.video_id, events.seq LIMIT $3"
            ),
            &[&videos, &seqs, &(2 * limit)],
        )
        .await?;
    let lower_events: Vec<Unnumbered> = lower.iter().map(Unnumbered::read).collect();
    if rows(&lower) == 2 * limit
        && let Some(end) = lower_events.last()
    {
        // What comes after may have lower ones that were not read.
        events.retain(|event| (event.video, event.seq) <= (end.video, end.seq));
        more = true;
    }
    events.extend(lower_events);
    let ordered = in_order(events.into_iter().collect());
    assign(tx, &ordered).await?;
    Ok(Numbering { numbered: ordered.len(), more })
}

async fn assign(tx: &Tx, ordered: &[(Uuid, i64)]) -> Result<(), DbError> {
    let count = i64::try_from(ordered.len()).unwrap_or(i64::MAX);
    let last: i64 = tx
        .opt(
            sql!(
                "-- event.advance
            UPDATE positions SET last = last + $1 WHERE feed = 'events' RETURNING last"
            ),
            &[&count],
        )
        .await?
        .ok_or(DbError::Stale { what: "the feed's positions" })?
        .get("last");
    let positions: Vec<i64> = (last - count + 1..=last).collect();
    let (videos, seqs): (Vec<Uuid>, Vec<i64>) = ordered.iter().copied().unzip();
    let numbered = tx
        .exec(
            sql!(
                "-- event.position
            UPDATE events SET position = new.position
            FROM unnest($1::UUID[], $2::INT8[], $3::INT8[]) AS new (video_id, seq, position)
            WHERE events.video_id = new.video_id AND events.seq = new.seq
                AND events.position IS NULL"
            ),
            &[&videos, &seqs, &positions],
        )
        .await?;
    if i64::try_from(numbered).unwrap_or(i64::MAX) == count {
        Ok(())
    } else {
        Err(DbError::Stale { what: "an event" })
    }
}

/// Reads the events of all videos after `position`, in order, at most `limit`.
///
/// # Errors
/// [`DbError`].
pub async fn after_position(
    tx: &Tx,
    position: i64,
    limit: i64,
) -> Result<Vec<Positioned>, DbError> {
    let rows = tx
        .all(
            sql!(
                "-- event.after_position
            SELECT position, video_id, seq, at, name, data FROM events WHERE position > $1
            ORDER BY position LIMIT $2"
            ),
            &[&position, &limit],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Positioned {
            position: row.get("position"),
            video: row.get("video_id"),
            event: Numbered::read(row),
        })
        .collect())
}

/// How far the order of all events reaches now.
///
/// # Errors
/// [`DbError`].
pub async fn positions(tx: &Tx) -> Result<Positions, DbError> {
    let row = tx
        .opt(
            sql!("-- event.positions\nSELECT last, removed FROM positions WHERE feed = 'events'"),
            &[],
        )
        .await?
        .ok_or(DbError::Stale { what: "the feed's positions" })?;
    Ok(Positions { last: row.get("last"), removed: row.get("removed") })
}

/// Tells that events up to this position were removed, with their videos' tombstones, in the
/// transaction that removes them: a cursor before it is answered by a reset from now on.
///
/// # Errors
/// [`DbError`].
pub async fn raise_removed(tx: &Tx, position: i64) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- event.raise_removed
        UPDATE positions SET removed = $1 WHERE feed = 'events' AND removed < $1"
        ),
        &[&position],
    )
    .await?;
    Ok(())
}

/// Reads which events have a position and were not announced by the relay: video and position, in
/// order, at most `limit`.
///
/// # Errors
/// [`DbError`].
pub async fn unannounced(tx: &Tx, limit: i64) -> Result<Vec<(Uuid, i64)>, DbError> {
    let rows = tx
        .all(
            sql!(
                "-- event.unannounced
            SELECT video_id, position FROM events
            WHERE announced_at IS NULL AND position IS NOT NULL ORDER BY position LIMIT $1"
            ),
            &[&limit],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get("video_id"), row.get("position"))).collect())
}

/// Marks the events with these positions as announced.
///
/// # Errors
/// [`DbError`].
pub async fn announced(tx: &Tx, positions: &[i64]) -> Result<(), DbError> {
    if positions.is_empty() {
        return Ok(());
    }
    tx.exec(
        sql!(
            "-- event.announced
        UPDATE events SET announced_at = $2
        WHERE position = ANY($1) AND announced_at IS NULL AND position IS NOT NULL"
        ),
        &[&positions, &tx.now()],
    )
    .await?;
    Ok(())
}

impl Unnumbered {
    fn read(row: &tokio_postgres::Row) -> Self {
        Self { at: row.get("at"), video: row.get("video_id"), seq: row.get("seq") }
    }
}

fn rows(rows: &[tokio_postgres::Row]) -> i64 {
    i64::try_from(rows.len()).unwrap_or(i64::MAX)
}
