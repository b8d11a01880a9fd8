//! Which ready tasks nobody was told of yet.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::{DbError, Tx, sql};

/// A ready task that was not announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unannounced {
    /// The task.
    pub id: Uuid,
    /// Since when it may be claimed: of a task that becomes ready again it differs.
    pub ready_at: OffsetDateTime,
}

/// Reads tasks that may be claimed now and were not announced, oldest first, at most `limit`.
///
/// # Errors
/// [`DbError`].
pub async fn unannounced(tx: &Tx, limit: i64) -> Result<Vec<Unannounced>, DbError> {
    let rows = tx
        .all(
            sql!(
                "-- task.unannounced
            SELECT id, ready_at FROM tasks
            WHERE state = 'ready' AND announced_at IS NULL AND ready_at <= $1
            ORDER BY ready_at, id LIMIT $2"
            ),
            &[&tx.now(), &limit],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Unannounced { id: row.get("id"), ready_at: row.get("ready_at") })
        .collect())
}

/// Marks tasks as announced. One that was claimed or became ready again since is left alone.
///
/// # Errors
/// [`DbError`].
pub async fn announced(tx: &Tx, tasks: &[Unannounced]) -> Result<(), DbError> {
    if tasks.is_empty() {
        return Ok(());
    }
    let (ids, ready): (Vec<Uuid>, Vec<OffsetDateTime>) =
        tasks.iter().map(|task| (task.id, task.ready_at)).unzip();
    tx.exec(
        sql!(
            "-- task.announced
        UPDATE tasks SET announced_at = $3
        FROM unnest($1::UUID[], $2::TIMESTAMPTZ[]) AS told (id, ready_at)
        WHERE tasks.id = told.id AND tasks.ready_at = told.ready_at
            AND tasks.state = 'ready' AND tasks.announced_at IS NULL"
        ),
        &[&ids, &ready, &tx.now()],
    )
    .await?;
    Ok(())
}
