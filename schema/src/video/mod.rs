//! The table `videos`: one row type, its statements, and the steps of its state.

mod growing;
mod named;
mod published;
mod status;
mod steps;
mod tidy;

use serde_json::Value;
use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::db::{DbError, Tx, sql};
use crate::failure::Failure;

pub use growing::{Digested, digested, grew, playable, replanned, sound_replanned};
pub use named::{Named, named};
pub use published::{Postered, Republished, postered, republished};
pub use status::{BadStep, Status, Step};
pub use steps::{
    Completed, Planned, StepError, cancel, completed, delete, fail, planned, retry, uploaded,
};
pub use tidy::{Ended, ended, expire, forget, overdue, remove_tasks};

/// A row of `videos`.
#[derive(Debug, Clone)]
pub struct Video {
    /// UUIDv7: newer videos sort later.
    pub id: Uuid,
    /// The upload's id; part of the original's key.
    pub file_id: Uuid,
    /// As people see it.
    pub title: String,
    /// As people see it.
    pub description: String,
    /// The uploaded file's own name, for display only.
    pub filename: String,
    /// Key of the original in the bucket.
    pub file_path: String,
    /// Declared and enforced size of the original, bytes.
    pub file_size: u64,
    /// ETag of the finished upload.
    pub etag: Option<String>,
    /// CID of the original.
    pub ipfs_cid: Option<String>,
    /// sha-256 of the original, hex.
    pub checksum: Option<String>,
    /// CID of the published folder.
    pub root_cid: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// Probe facts, as the plan crate writes them.
    pub probe: Option<Value>,
    /// The plan, as the plan crate writes it.
    pub plan: Option<Value>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// Number of its last event; 0 when there is none.
    pub events: i64,
    /// When its upload address expires.
    pub ticket_until: OffsetDateTime,
    /// How often the gateway looked for its upload.
    pub looks: i64,
    /// When its ticket was issued.
    pub created_at: OffsetDateTime,
    /// When its row last changed.
    pub updated_at: OffsetDateTime,
}

macro_rules! columns {
    () => {
        columns!("plan")
    };
    ($plan:literal) => {
        concat!(
            "id, file_id, title, description, filename, file_path, file_size, etag, ipfs_cid, \
             checksum, root_cid, upload_status, probe, ",
            $plan,
            ", error, events, ticket_until, looks, created_at, updated_at"
        )
    };
}
use columns;

impl Video {
    fn read(row: &Row) -> Result<Self, DbError> {
        let error: Option<Value> = row.get("error");
        Ok(Self {
            id: row.get("id"),
            file_id: row.get("file_id"),
            title: row.get("title"),
            description: row.get("description"),
            filename: row.get("filename"),
            file_path: row.get("file_path"),
            file_size: row.get::<_, i64>("file_size").unsigned_abs(),
            etag: row.get("etag"),
            ipfs_cid: row.get("ipfs_cid"),
            checksum: row.get("checksum"),
            root_cid: row.get("root_cid"),
            status: Status::from_name(row.get("upload_status"))?,
            probe: row.get("probe"),
            plan: row.get("plan"),
            error: error
                .map(serde_json::from_value)
                .transpose()
                .map_err(|source| DbError::Stored { what: "error", source })?,
            events: row.get("events"),
            ticket_until: row.get("ticket_until"),
            looks: row.get("looks"),
            created_at: row.get("created_at"),
            updated_at: row.get("updated_at"),
        })
    }
}

/// What a ticket stores.
#[derive(Debug, Clone)]
pub struct NewVideo {
    /// UUIDv7.
    pub id: Uuid,
    /// The upload's id.
    pub file_id: Uuid,
    /// As people see it.
    pub title: String,
    /// As people see it.
    pub description: String,
    /// The uploaded file's own name.
    pub filename: String,
    /// Key of the original.
    pub file_path: String,
    /// Bytes.
    pub file_size: u64,
    /// How long the ticket lasts from now.
    pub ticket: time::Duration,
    /// How long from now until its upload is looked for.
    pub look_after: time::Duration,
}

/// Stores a ticket's video as `pending`. Running again after having succeeded changes nothing.
///
/// # Errors
/// [`DbError`].
pub async fn insert(tx: &Tx, new: &NewVideo) -> Result<OffsetDateTime, DbError> {
    let until = tx.now() + new.ticket;
    tx.exec(
        sql!(
            "-- video.insert
        INSERT INTO videos (id, file_id, title, description, filename, file_path, file_size,
            upload_status, ticket_until, look_at, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9, $10, $10)
        ON CONFLICT (id) DO NOTHING"
        ),
        &[
            &new.id,
            &new.file_id,
            &new.title,
            &new.description,
            &new.filename,
            &new.file_path,
            &new.file_size.cast_signed(),
            &until,
            &(tx.now() + new.look_after),
            &tx.now(),
        ],
    )
    .await?;
    Ok(until)
}

/// Reads one video, tombstones included.
///
/// # Errors
/// [`DbError`].
pub async fn get(tx: &Tx, id: Uuid) -> Result<Option<Video>, DbError> {
    tx.opt(sql!(concat!("-- video.get\nSELECT ", columns!(), " FROM videos WHERE id = $1")), &[&id])
        .await?
        .map(|row| Video::read(&row))
        .transpose()
}

/// Where a video stands; `None` when there is none.
///
/// # Errors
/// [`DbError`].
pub async fn status(tx: &Tx, id: Uuid) -> Result<Option<Status>, DbError> {
    tx.opt(sql!("-- video.status\nSELECT upload_status FROM videos WHERE id = $1"), &[&id])
        .await?
        .map(|row| Status::from_name(row.get("upload_status")))
        .transpose()
}

/// Reads a page of videos that are not deleted, newest first: those older than `before`. Their plans
/// come without the grid, which is most of a long film's row.
///
/// # Errors
/// [`DbError`].
pub async fn list(tx: &Tx, before: Option<Uuid>, limit: i64) -> Result<Vec<Video>, DbError> {
    let before = before.unwrap_or(Uuid::max());
    tx.all(
        sql!(concat!(
            "-- video.list\nSELECT ",
            columns!("plan - 'grid' AS plan"),
            " FROM videos WHERE upload_status <> 'deleted' AND id < $1 ORDER BY id DESC LIMIT $2"
        )),
        &[&before, &limit],
    )
    .await?
    .iter()
    .map(Video::read)
    .collect()
}

/// Sets the key of the original of a video whose upload was copied to where no client can write.
///
/// # Errors
/// [`DbError::Stale`] unless it is pending.
pub async fn set_original(tx: &Tx, id: Uuid, path: &str) -> Result<(), DbError> {
    tx.exec_one(
        "the video",
        sql!(
            "-- video.set_original
        UPDATE videos SET file_path = $2, updated_at = $3
        WHERE id = $1 AND upload_status = 'pending'"
        ),
        &[&id, &path, &tx.now()],
    )
    .await
}

/// Stores a new title, description or both.
///
/// # Errors
/// [`DbError::Stale`] when it is deleted or was never there.
pub async fn rename(
    tx: &Tx,
    id: Uuid,
    title: Option<&str>,
    description: Option<&str>,
) -> Result<(), DbError> {
    tx.exec_one(
        "the video",
        sql!(
            "-- video.rename
        UPDATE videos SET title = COALESCE($2, title), description = COALESCE($3, description),
            updated_at = $4
        WHERE id = $1 AND upload_status <> 'deleted'"
        ),
        &[&id, &title, &description, &tx.now()],
    )
    .await
}

/// Takes videos whose upload is to be looked for, and sets when each is looked for again: after
/// 5, 10, 20, 40 s ... and then every 5 minutes. Bounded by `limit`.
///
/// # Errors
/// [`DbError`].
pub async fn take_looks(tx: &Tx, limit: i64) -> Result<Vec<Video>, DbError> {
    let due = tx
        .all(
            sql!(concat!(
                "-- video.looks_due\nSELECT ",
                columns!(),
                " FROM videos WHERE upload_status = 'pending' AND look_at <= $1
                ORDER BY look_at LIMIT $2"
            )),
            &[&tx.now(), &limit],
        )
        .await?
        .iter()
        .map(Video::read)
        .collect::<Result<Vec<_>, _>>()?;
    for video in &due {
        let wait = time::Duration::seconds(5 << video.looks.clamp(0, 6)).min(LOOK_AT_MOST);
        tx.exec(
            sql!(
                "-- video.look_again
            UPDATE videos SET look_at = $2, looks = looks + 1
            WHERE id = $1 AND upload_status = 'pending'"
            ),
            &[&video.id, &(tx.now() + wait)],
        )
        .await?;
    }
    Ok(due)
}

/// The longest wait between two looks for an upload.
const LOOK_AT_MOST: time::Duration = time::Duration::minutes(5);

/// Where each of these videos stands and the number of its last event.
///
/// # Errors
/// [`DbError`].
pub async fn standing(tx: &Tx, ids: &[Uuid]) -> Result<Vec<(Uuid, Status, i64)>, DbError> {
    tx.all(
        sql!("-- video.standing\nSELECT id, upload_status, events FROM videos WHERE id = ANY($1)"),
        &[&ids],
    )
    .await?
    .iter()
    .map(|row| Ok((row.get("id"), Status::from_name(row.get("upload_status"))?, row.get("events"))))
    .collect()
}

/// The number of the last event of each of these videos that is there.
///
/// # Errors
/// [`DbError`].
pub async fn last_events(tx: &Tx, ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>, DbError> {
    let rows = tx
        .all(
            sql!("-- video.last_events\nSELECT id, events FROM videos WHERE id = ANY($1)"),
            &[&ids],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get("id"), row.get("events"))).collect())
}
