//! The table `pins`: what the IPFS node and pinning services are to keep, and whether they do.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::{DbError, Tx, sql};
use crate::task::{Kind, NewTask};
use crate::{pinning, unpin};

mod remote;

pub use remote::{hasten, note, of_task, request};

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

    /// The place of the task that pins it at the node.
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
    /// Its target says that it keeps it.
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
}

impl NewPin {
    /// A pin at the configured node.
    pub fn at_node(role: Role, cid: String) -> Self {
        Self::at(NODE, role, cid)
    }

    /// A pin at the node or the service of this name.
    pub fn at(target: &str, role: Role, cid: String) -> Self {
        Self { role, target: target.to_owned(), cid }
    }

    /// The task that makes it.
    pub fn task(&self) -> NewTask {
        let (kind, place) = task_of(&self.target, self.role);
        NewTask::at(kind, place)
    }
}

/// Kind and place of the task that has a target keep what a role keeps.
fn task_of(target: &str, role: Role) -> (Kind, i64) {
    match target {
        NODE => (Kind::Pin, role.place()),
        service => (Kind::PinService, pinning::place(service, role)),
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
    /// What is kept until this one is pinned, and then let go.
    pub replaces: Option<String>,
    /// The id of a service's own request for it.
    pub request: Option<String>,
    /// What stands in its way, in words.
    pub error: Option<String>,
    /// When state or request last changed.
    pub updated_at: OffsetDateTime,
}

impl Pin {
    /// Whether the task of this kind and place is its own.
    pub fn is_of(&self, kind: Kind, place: i64) -> bool {
        task_of(&self.target, self.role) == (kind, place)
    }

    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            role: Role::from_name(row.get("role"))?,
            target: row.get("target"),
            cid: row.get("cid"),
            state: State::from_name(row.get("state"))?,
            replaces: row.get("replaces"),
            request: row.get("request"),
            error: row.get("error"),
            updated_at: row.get("updated_at"),
        })
    }
}

/// Adds a pin as `queued` unless the video has it already.
///
/// # Errors
/// [`DbError`].
pub async fn insert(tx: &Tx, video: Uuid, new: &NewPin) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- pin.insert
        INSERT INTO pins (video_id, target, role, cid, state, created_at, updated_at)
        VALUES ($1, $2, $3, $4, 'queued', $5, $5)
        ON CONFLICT (video_id, target, role) DO NOTHING"
        ),
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
        sql!("-- pin.of_video
        SELECT role, target, cid, state, replaces, request, error, updated_at FROM pins WHERE video_id = $1
        ORDER BY role DESC, target <> 'node', target LIMIT 100"),
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
        sql!(
            "-- pin.of_videos
        SELECT video_id, role, target, cid, state, replaces, request, error, updated_at FROM pins
        WHERE video_id = ANY($1)
        ORDER BY video_id, role DESC, target <> 'node', target LIMIT 10000"
        ),
        &[&videos],
    )
    .await?
    .iter()
    .map(|row| Ok((row.get("video_id"), Pin::read(row)?)))
    .collect()
}

/// Stores where a pin stands.
///
/// # Errors
/// [`DbError::Stale`] when there is no such pin.
pub async fn set_state(tx: &Tx, video: Uuid, pin: &Pin, state: State) -> Result<(), DbError> {
    tx.exec_one(
        "the pin",
        sql!(
            "-- pin.set_state
        UPDATE pins SET updated_at = CASE WHEN state = $4 THEN updated_at ELSE $5 END, state = $4
        WHERE video_id = $1 AND target = $2 AND role = $3"
        ),
        &[&video, &pin.target, &pin.role.name(), &state.name(), &tx.now()],
    )
    .await
}

/// Records that its target keeps a pin, and lets go of what it takes the place of.
///
/// # Errors
/// [`DbError::Stale`] when the video's pin is gone or of another content by now.
pub async fn pinned(tx: &Tx, video: Uuid, pin: &Pin) -> Result<(), DbError> {
    let now = of_video(tx, video).await?;
    let now = now.into_iter().find(|now| now.target == pin.target && now.role == pin.role);
    if let Some(replaced) = now.and_then(|now| now.replaces) {
        unpin::insert(tx, &pin.target, &replaced).await?;
    }
    tx.exec_one(
        "the pin",
        sql!(
            "-- pin.pinned
        UPDATE pins SET state = 'pinned', replaces = NULL, error = NULL, updated_at = $5
        WHERE video_id = $1 AND target = $2 AND role = $3 AND cid = $4"
        ),
        &[&video, &pin.target, &pin.role.name(), &pin.cid, &tx.now()],
    )
    .await
}

/// Makes a pin keep another content, once that is pinned: until then the old one stays too. Adds the
/// pin when the video has none such. Returns whether there is something to pin.
///
/// # Errors
/// [`DbError`].
pub async fn supersede(tx: &Tx, video: Uuid, new: &NewPin) -> Result<bool, DbError> {
    let old = of_video(tx, video).await?;
    let Some(old) = old.into_iter().find(|old| old.target == new.target && old.role == new.role)
    else {
        insert(tx, video, new).await?;
        return Ok(true);
    };
    if old.cid == new.cid {
        return Ok(false);
    }
    let kept = match old.replaces {
        // The one between was never recorded as pinned.
        Some(kept) => {
            unpin::insert(tx, &old.target, &old.cid).await?;
            kept
        }
        None => old.cid,
    };
    tx.exec_one(
        "the pin",
        sql!(
            "-- pin.supersede
        UPDATE pins SET cid = $4, replaces = $5, state = 'queued', request = NULL, error = NULL,
            updated_at = $6
        WHERE video_id = $1 AND target = $2 AND role = $3"
        ),
        &[
            &video,
            &new.target,
            &new.role.name(),
            &new.cid,
            &Some(kept).filter(|kept| *kept != new.cid),
            &tx.now(),
        ],
    )
    .await?;
    Ok(true)
}

/// Puts the failed pins of a video back to where nothing was tried yet.
///
/// # Errors
/// [`DbError`].
pub async fn requeue(tx: &Tx, video: Uuid) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- pin.requeue
        UPDATE pins SET state = 'queued', error = NULL, updated_at = $2
        WHERE video_id = $1 AND state = 'failed'"
        ),
        &[&video, &tx.now()],
    )
    .await?;
    Ok(())
}

/// Removes all pins of a video: what they keep is to be let go, unless another video needs it.
///
/// # Errors
/// [`DbError`].
pub async fn remove(tx: &Tx, video: Uuid) -> Result<(), DbError> {
    for pin in of_video(tx, video).await? {
        unpin::insert(tx, &pin.target, &pin.cid).await?;
        if let Some(replaced) = &pin.replaces {
            unpin::insert(tx, &pin.target, replaced).await?;
        }
    }
    tx.exec(sql!("-- pin.remove\nDELETE FROM pins WHERE video_id = $1"), &[&video]).await?;
    Ok(())
}
