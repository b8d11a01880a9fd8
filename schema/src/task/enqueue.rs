//! Adding tasks to a video's graph, and bringing ended ones back.

use uuid::Uuid;

use super::Kind;
use crate::db::{DbError, Tx, sql};

/// A task to be added.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// What it does.
    pub kind: Kind,
    /// Which of several of its kind, from 0.
    pub place: i64,
    /// Of a stretch: sequence of the first segment after it; `None`: to the end of the film.
    pub until: Option<u32>,
    /// Kinds of the same video that must be done first, all places of each.
    pub after: &'static [Kind],
}

impl NewTask {
    /// The only task of its kind, waiting for nothing.
    pub const fn of(kind: Kind) -> Self {
        Self::after(kind, &[])
    }

    /// The only task of its kind, waiting for all of these kinds.
    pub const fn after(kind: Kind, after: &'static [Kind]) -> Self {
        Self { kind, place: 0, until: None, after }
    }

    /// One of several of its kind, waiting for nothing.
    pub const fn at(kind: Kind, place: i64) -> Self {
        Self { kind, place, until: None, after: &[] }
    }
}

/// Adds a task unless the video has it already.
///
/// # Errors
/// [`DbError`].
pub async fn enqueue(tx: &Tx, video: Uuid, new: &NewTask) -> Result<(), DbError> {
    enqueue_all(tx, video, std::slice::from_ref(new)).await
}

/// Adds those tasks that the video does not have already, each after the tasks of its kinds, old and new ones alike. The
/// number of statements does not grow with the tasks: a film of 2 h has 70.
///
/// # Errors
/// [`DbError`].
pub async fn enqueue_all(tx: &Tx, video: Uuid, new: &[NewTask]) -> Result<(), DbError> {
    let ids: Vec<Uuid> = new.iter().map(|_| tx.new_id()).collect();
    let kinds: Vec<&str> = new.iter().map(|task| task.kind.name()).collect();
    let places: Vec<i64> = new.iter().map(|task| task.place).collect();
    let attempts: Vec<i64> = new.iter().map(|task| task.kind.max_attempts()).collect();
    let untils: Vec<Option<i64>> = new.iter().map(|task| task.until.map(i64::from)).collect();
    tx.exec(
        sql!(
            "-- task.enqueue
        INSERT INTO tasks (id, video_id, kind, place, state, max_attempts, ready_at, created_at,
            updated_at, until)
        SELECT new.id, $1::UUID, new.kind, new.place, 'waiting', new.max_attempts, $7::TIMESTAMPTZ,
            $7::TIMESTAMPTZ, $7::TIMESTAMPTZ, new.until
        FROM unnest($2::UUID[], $3::TEXT[], $4::INT8[], $5::INT8[], $6::INT8[])
            AS new (id, kind, place, max_attempts, until)
        ON CONFLICT (video_id, kind, place) DO NOTHING"
        ),
        &[&video, &ids, &kinds, &places, &attempts, &untils, &tx.now()],
    )
    .await?;
    let waits =
        ids.iter().zip(new).flat_map(|(id, task)| task.after.iter().map(|on| (*id, on.name())));
    let (waiting, on): (Vec<Uuid>, Vec<&str>) = waits.unzip();
    if !waiting.is_empty() {
        tx.exec(
            sql!(
                "-- task.wait
            INSERT INTO task_waits (task_id, waits_on)
            SELECT t.id, e.id FROM unnest($2::UUID[], $3::TEXT[]) AS new (id, kind)
            JOIN tasks AS t ON t.id = new.id
            JOIN tasks AS e ON e.video_id = $1 AND e.kind = new.kind
            WHERE e.state <> 'done'"
            ),
            &[&video, &waiting, &on],
        )
        .await?;
    }
    release(tx, video).await
}

/// Makes ready what waits for nothing any more.
pub(super) async fn release(tx: &Tx, video: Uuid) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- task.release
        UPDATE tasks SET state = 'ready', ready_at = $2, announced_at = NULL, updated_at = $2
        WHERE video_id = $1 AND state = 'waiting'
            AND NOT EXISTS (SELECT 1 FROM task_waits WHERE task_id = tasks.id)"
        ),
        &[&video, &tx.now()],
    )
    .await?;
    Ok(())
}

/// Brings a video's dead and cancelled tasks back, each with a full number of attempts.
/// Returns how many.
///
/// # Errors
/// [`DbError`].
pub async fn revive(tx: &Tx, video: Uuid) -> Result<u64, DbError> {
    let mut revived = 0;
    for kind in Kind::ALL {
        revived += bring_back(tx, video, kind, &["dead", "cancelled"]).await?;
    }
    release(tx, video).await?;
    Ok(revived)
}

/// Brings back a completed video's dead tasks. Returns how many.
///
/// # Errors
/// [`DbError`].
pub async fn revive_dead(tx: &Tx, video: Uuid) -> Result<u64, DbError> {
    let mut revived = 0;
    for kind in Kind::ALL.into_iter().filter(|kind| kind.is_extra()) {
        revived += bring_back(tx, video, kind, &["dead"]).await?;
    }
    release(tx, video).await?;
    Ok(revived)
}

async fn bring_back(tx: &Tx, video: Uuid, kind: Kind, from: &[&str]) -> Result<u64, DbError> {
    tx.exec(
        sql!(
            "-- task.revive
        UPDATE tasks SET state = 'waiting', max_attempts = attempt + $3, error = NULL,
            ended_at = NULL, updated_at = $4
        WHERE video_id = $1 AND kind = $2 AND state = ANY($5)"
        ),
        &[&video, &kind.name(), &kind.max_attempts(), &tx.now(), &from],
    )
    .await
}
