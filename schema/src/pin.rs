//! The table `pins`: what an IPFS node is to keep, and whether it does.

use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{DbError, Tx};

/// The target name of the configured IPFS node.
pub const NODE: &str = "node";

/// What a pin keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The published folder; served by the IPFS gateway.
    Published,
    /// The original; never served by the IPFS gateway.
    Original,
}

impl Role {
    /// The word in rows, and the pin's name at the node.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Original => "original",
        }
    }

    /// The place of the task that pins it.
    pub const fn place(self) -> i64 {
        match self {
            Self::Published => 0,
            Self::Original => 1,
        }
    }

    fn from_name(word: &str) -> Result<Self, DbError> {
        match word {
            "published" => Ok(Self::Published),
            "original" => Ok(Self::Original),
            _ => Err(DbError::Word { what: "pin role", word: word.to_owned() }),
        }
    }
}

/// Where a pin stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing was tried yet.
    Queued,
    /// Its blocks are on their way.
    Pinning,
    /// The node lists it.
    Pinned,
    /// Every attempt failed.
    Failed,
}

impl State {
    /// The word in rows and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Pinning => "pinning",
            Self::Pinned => "pinned",
            Self::Failed => "failed",
        }
    }

    fn from_name(word: &str) -> Result<Self, DbError> {
        match word {
            "queued" => Ok(Self::Queued),
            "pinning" => Ok(Self::Pinning),
            "pinned" => Ok(Self::Pinned),
            "failed" => Ok(Self::Failed),
            _ => Err(DbError::Word { what: "pin state", word: word.to_owned() }),
        }
    }
}

/// A pin to be made.
#[derive(Debug, Clone)]
pub struct NewPin {
    /// What it keeps.
    pub role: Role,
    /// Which node or service.
    pub target: String,
    /// The content id.
    pub cid: String,
    /// The place of the task that pins it: [`Role::place`].
    pub place: i64,
}

impl NewPin {
    /// A pin at the configured node.
    pub fn at_node(role: Role, cid: String) -> Self {
        Self { role, target: NODE.to_owned(), cid, place: role.place() }
    }
}

/// A row of `pins`.
#[derive(Debug, Clone)]
pub struct Pin {
    /// What it keeps.
    pub role: Role,
    /// Which node or service.
    pub target: String,
    /// The content id.
    pub cid: String,
    /// Where it stands.
    pub state: State,
}

impl Pin {
    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            role: Role::from_name(row.get("role"))?,
            target: row.get("target"),
            cid: row.get("cid"),
            state: State::from_name(row.get("state"))?,
        })
    }
}

/// Adds a pin as `queued` unless the video has it already.
///
/// # Errors
/// [`DbError`].
pub async fn insert(tx: &Tx, video: Uuid, new: &NewPin) -> Result<(), DbError> {
    tx.exec(
        "-- pin.insert
        INSERT INTO pins (video_id, target, role, cid, state, created_at, updated_at)
        VALUES ($1, $2, $3, $4, 'queued', $5, $5)
        ON CONFLICT (video_id, target, role) DO NOTHING",
        &[&video, &new.target, &new.role.name(), &new.cid, &tx.now()],
    )
    .await?;
    Ok(())
}

/// The pins of a video.
///
/// # Errors
/// [`DbError`].
pub async fn of_video(tx: &Tx, video: Uuid) -> Result<Vec<Pin>, DbError> {
    tx.all(
        "-- pin.of_video
        SELECT role, target, cid, state FROM pins WHERE video_id = $1
        ORDER BY role DESC, target LIMIT 100",
        &[&video],
    )
    .await?
    .iter()
    .map(Pin::read)
    .collect()
}

/// The pins of these videos, each with its video.
///
/// # Errors
/// [`DbError`].
pub async fn of_videos(tx: &Tx, videos: &[Uuid]) -> Result<Vec<(Uuid, Pin)>, DbError> {
    tx.all(
        "-- pin.of_videos
        SELECT video_id, role, target, cid, state FROM pins WHERE video_id = ANY($1)
        ORDER BY video_id, role DESC, target LIMIT 10000",
        &[&videos],
    )
    .await?
    .iter()
    .map(|row| Ok((row.get("video_id"), Pin::read(row)?)))
    .collect()
}

/// The pins of a video whose content no other video that is not deleted pins at the same target.
///
/// # Errors
/// [`DbError`].
pub async fn only_of(tx: &Tx, video: Uuid) -> Result<Vec<Pin>, DbError> {
    let mut only = Vec::new();
    for pin in of_video(tx, video).await? {
        let others = tx
            .opt(
                "-- pin.others
                SELECT 1 AS one FROM pins p JOIN videos v ON v.id = p.video_id
                WHERE p.cid = $1 AND p.target = $2 AND p.video_id <> $3
                    AND v.upload_status <> 'deleted' LIMIT 1",
                &[&pin.cid, &pin.target, &video],
            )
            .await?;
        if others.is_none() {
            only.push(pin);
        }
    }
    Ok(only)
}

/// Stores where a pin stands.
///
/// # Errors
/// [`DbError::Stale`] when there is no such pin.
pub async fn set_state(tx: &Tx, video: Uuid, role: Role, state: State) -> Result<(), DbError> {
    tx.exec_one(
        "the pin",
        "-- pin.set_state
        UPDATE pins SET state = $3, updated_at = $4 WHERE video_id = $1 AND role = $2",
        &[&video, &role.name(), &state.name(), &tx.now()],
    )
    .await
}

/// Removes all pin rows of a video, after the node has let go of them.
///
/// # Errors
/// [`DbError`].
pub async fn remove(tx: &Tx, video: Uuid) -> Result<(), DbError> {
    tx.exec("-- pin.remove\nDELETE FROM pins WHERE video_id = $1", &[&video]).await?;
    Ok(())
}
