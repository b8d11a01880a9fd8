//! The table `events`: numbered facts about a video, without gaps, in a closed list;
//! and in one order for all videos, by the relay.

mod position;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{DbError, Tx, sql};
use crate::failure::Failure;

pub use position::{
    Numbering, Positioned, Positions, Unnumbered, after_position, announced, in_order, number,
    positions, raise_removed, unannounced,
};

/// What happened to a video.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The original is stored.
    Uploaded {
        /// Bytes.
        file_size: u64,
    },
    /// Its facts are known.
    Probed {
        /// Seconds.
        duration: f64,
        /// Pixels as displayed; absent without a picture.
        width: Option<u32>,
        /// Pixels as displayed; absent without a picture.
        height: Option<u32>,
    },
    /// What will be made of it is decided.
    Planned {
        /// Names of the rungs, lowest first.
        rungs: Vec<String>,
        /// Whether there is sound.
        audio: bool,
    },
    /// Something can be watched.
    Playable {},
    /// A rung joined the growing ladder.
    RungAdded {
        /// `480p`, ...
        resolution: String,
    },
    /// Every segment of a rung is stored.
    RungCompleted {
        /// `480p`, ...
        resolution: String,
    },
    /// Everything planned is stored.
    Completed {},
    /// A folder of it was published.
    Published {
        /// CID of the folder.
        root_cid: String,
    },
    /// An IPFS node lists a pin.
    Pinned {
        /// Which node or service.
        target: String,
        /// What is pinned.
        cid: String,
    },
    /// It ended with a failure.
    Failed(Failure),
    /// Someone stopped it.
    Cancelled {},
    /// Someone asked for another try.
    Retried {},
    /// Someone deleted it.
    Deleted {},
}

/// An event as it is stored and sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Numbered {
    /// From 1, without gaps, for each video.
    pub seq: i64,
    /// The database's clock when it was stored.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// One of the closed list.
    pub name: String,
    /// Facts that belong to the name.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// Numbers and stores an event, in the transaction that made it true.
///
/// # Errors
/// [`DbError::Stale`] when there is no such video.
pub async fn append(tx: &Tx, video: Uuid, event: &Event) -> Result<i64, DbError> {
    let seq: i64 = tx
        .opt(
            sql!(
                "-- event.number
            UPDATE videos SET events = events + 1, updated_at = $2 WHERE id = $1 RETURNING events"
            ),
            &[&video, &tx.now()],
        )
        .await?
        .ok_or(DbError::Stale { what: "the video" })?
        .get("events");
    let value =
        serde_json::to_value(event).map_err(|source| DbError::Stored { what: "event", source })?;
    let name = value.get("name").and_then(Value::as_str).unwrap_or_default();
    let data = value.get("data").cloned().unwrap_or_default();
    tx.exec(
        sql!(
            "-- event.append
        INSERT INTO events (video_id, seq, at, name, data) VALUES ($1, $2, $3, $4, $5)"
        ),
        &[&video, &seq, &tx.now(), &name, &data],
    )
    .await?;
    Ok(seq)
}

/// Reads the events after `since`, oldest first, at most `limit`.
///
/// # Errors
/// [`DbError`].
pub async fn since(tx: &Tx, video: Uuid, since: i64, limit: i64) -> Result<Vec<Numbered>, DbError> {
    let rows = tx
        .all(
            sql!(
                "-- event.since
            SELECT seq, at, name, data FROM events WHERE video_id = $1 AND seq > $2
            ORDER BY seq LIMIT $3"
            ),
            &[&video, &since, &limit],
        )
        .await?;
    Ok(rows.iter().map(Numbered::read).collect())
}

impl Numbered {
    fn read(row: &Row) -> Self {
        Self {
            seq: row.get("seq"),
            at: row.get("at"),
            name: row.get("name"),
            data: row.get("data"),
        }
    }
}
