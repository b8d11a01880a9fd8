//! What happens to the published folder of a video once it is there.

use super::steps::{StepError, found};
use super::{BadStep, Status};
use crate::db::{Tx, sql};
use crate::event::{self, Event};
use crate::file::{self, NewFile};
use crate::pin::{self, NewPin, Role};
use crate::task::{self, Kind, Lease, NewTask};

/// What became of a poster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Postered {
    /// It is stored, and its task done.
    Stored,
    /// The video is being packaged, with or without it: nothing was stored; try again soon.
    Busy,
    /// The video's folder is published without it: nothing was stored; [`republished`] does.
    Published {
        /// CID of the folder.
        root_cid: String,
    },
}

/// Stores a poster and ends its task, unless it would not come into the folder.
///
/// # Errors
/// [`LeaseLost`](crate::db::DbError::LeaseLost).
pub async fn postered(tx: &Tx, lease: &Lease, poster: &NewFile) -> Result<Postered, StepError> {
    task::guard(tx, lease).await?;
    let video = found(tx, lease.video()).await?;
    if let Some(root_cid) = video.root_cid {
        return Ok(Postered::Published { root_cid });
    }
    let packaging = tx
        .opt(
            sql!(
                "-- video.packaging
            SELECT 1 AS one FROM tasks
            WHERE video_id = $1 AND kind = $2 AND state = 'running' LIMIT 1"
            ),
            &[&video.id, &Kind::Package.name()],
        )
        .await?;
    if packaging.is_some() {
        return Ok(Postered::Busy);
    }
    task::finish(tx, lease).await?;
    file::insert(tx, video.id, poster).await?;
    Ok(Postered::Stored)
}

/// A new state of a video's folder.
#[derive(Debug, Clone)]
pub struct Republished {
    /// CID of the folder that it was made of.
    pub was: String,
    /// CID of the new one.
    pub root_cid: String,
    /// What is new in it.
    pub file: NewFile,
    /// Pins to be made of it, where the video has none yet.
    pub pins: Vec<NewPin>,
}

/// Ends a task that made a completed video's folder anew. Its pins are to keep the new one, and let
/// go of the old one when they do.
///
/// # Errors
/// [`LeaseLost`](crate::db::DbError::LeaseLost); [`StepError::Bad`] when the video is not completed (any more);
/// [`Stale`](crate::db::DbError::Stale) when its folder is another one by now.
pub async fn republished(tx: &Tx, lease: &Lease, new: &Republished) -> Result<(), StepError> {
    task::finish(tx, lease).await?;
    let video = found(tx, lease.video()).await?;
    if video.status != Status::Completed {
        return Err(BadStep { from: video.status, to: Status::Completed }.into());
    }
    tx.exec_one(
        "the published folder",
        sql!(
            "-- video.republish
        UPDATE videos SET root_cid = $3, updated_at = $4 WHERE id = $1 AND root_cid = $2"
        ),
        &[&video.id, &new.was, &new.root_cid, &tx.now()],
    )
    .await?;
    file::insert(tx, video.id, &new.file).await?;
    if new.root_cid == new.was {
        return Ok(());
    }
    event::append(tx, video.id, &Event::Published { root_cid: new.root_cid.clone() }).await?;
    let old = pin::of_video(tx, video.id).await?;
    let held = old.into_iter().filter(|pin| pin.role == Role::Published).map(|pin| NewPin {
        role: pin.role,
        target: pin.target,
        cid: new.root_cid.clone(),
    });
    for wanted in held.chain(new.pins.iter().cloned()) {
        if pin::supersede(tx, video.id, &wanted).await? {
            let NewTask { kind, place, .. } = wanted.task();
            task::again(tx, video.id, kind, place).await?;
        }
    }
    Ok(())
}
