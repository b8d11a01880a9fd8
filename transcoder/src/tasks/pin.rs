//! The task `pin`: brings a content id to the IPFS node, block by block, and believes that it is
//! kept only when the node lists it.

use reelpin_schema::cid::{Cid, Directory};
use reelpin_schema::db::Tx;
use reelpin_schema::event::{self, Event};
use reelpin_schema::ipfs::{Node, PinName};
use reelpin_schema::pin::{self, Pin, Role, State};
#[cfg(feature = "planted")]
use reelpin_schema::planted;
use reelpin_schema::task::{self, Lease};
use reelpin_schema::unpin;
use reelpin_schema::video::Video;
use tokio_util::io::ReaderStream;

use super::video_of;
use crate::error::{Cause, TaskError};
use crate::published::Published;
use crate::work::Work;

/// Bytes read from the bucket at a time on their way to the node.
const PIECE: usize = 1 << 20;

/// How long a pin waits while the node may be letting go of the same content.
const RELEASING: time::Duration = time::Duration::seconds(3);

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let node = work.engines.node.as_ref().ok_or(Cause::Row("no IPFS node is configured"))?;
    let video = video_of(work, lease).await?;
    let pin = begin(work, lease).await?;
    #[cfg(feature = "planted")]
    if planted::is(planted::Bug::UnlistedPin) {
        finish(work, lease, &pin).await?;
        return keep(work, node, &video, &pin).await;
    }
    keep(work, node, &video, &pin).await?;
    finish(work, lease, &pin).await
}

/// Brings the content to the node, pins it, and asks for the proof.
async fn keep(work: &Work, node: &Node, video: &Video, pin: &Pin) -> Result<(), TaskError> {
    let root: Cid = pin.cid.parse()?;
    if !node.is_pinned(root).await? {
        match pin.role {
            Role::Published => push_folder(work, node, video, root).await?,
            Role::Original => push(work, node, &video.file_path, root).await?,
        }
    }
    // Again when it is listed already: the pin may have another name, which decides who may see it.
    let name = match pin.role {
        Role::Published => PinName::Published,
        Role::Original => PinName::Original,
    };
    node.pin(root, name).await?;
    if !node.is_pinned(root).await? {
        return Err(Cause::Row("the node does not list the pin it took").into());
    }
    Ok(())
}

/// Whether the target may be told to let go of this content, by a call of which nobody knows when it
/// arrives. What this task pins before that would be lost. Where it is not so once, in a transaction
/// that sees the pin's row, it cannot become so as long as that row stands.
pub(super) async fn is_clear(tx: &Tx, pin: &Pin) -> Result<(), TaskError> {
    match unpin::is_releasing(tx, &pin.target, &pin.cid).await? {
        true => Err(TaskError::Later(RELEASING)),
        false => Ok(()),
    }
}

/// Reads the task's pin, and notes that it is being made.
async fn begin(work: &Work, lease: &Lease) -> Result<Pin, TaskError> {
    let held = lease.clone();
    let found = work
        .db()
        .run_tx("pin.begin", async move |tx| {
            task::guard(tx, &held).await?;
            let Some(pin) = pin::of_task(tx, held.video(), held.kind(), held.place()).await? else {
                return Ok(None);
            };
            is_clear(tx, &pin).await?;
            if pin.state != State::Pinned {
                pin::set_state(tx, held.video(), &pin, State::Pinning).await?;
            }
            Ok::<_, TaskError>(Some(pin))
        })
        .await?;
    Ok(found.ok_or(Cause::Row("the task's pin is gone"))?)
}

/// Records that the node lists the pin.
async fn finish(work: &Work, lease: &Lease, pin: &Pin) -> Result<(), TaskError> {
    #[cfg(feature = "planted")]
    let number = match planted::is(planted::Bug::NumberOutside) {
        true => Some(number(work, lease).await?),
        false => None,
    };
    let (held, pin) = (lease.clone(), pin.clone());
    work.db()
        .run_tx("pin.finish", async move |tx| {
            task::finish(tx, &held).await?;
            is_clear(tx, &pin).await?;
            pin::pinned(tx, held.video(), &pin).await?;
            // Services fetch it from there.
            pin::hasten(tx, held.video(), pin.role).await?;
            let pinned = Event::Pinned { target: pin.target.clone(), cid: pin.cid.clone() };
            #[cfg(feature = "planted")]
            if let Some(number) = number {
                return store(tx, held.video(), number, &pin).await;
            }
            event::append(tx, held.video(), &pinned).await?;
            Ok(())
        })
        .await
}

/// A fault: the event's number is taken before the transaction that stores the event.
#[cfg(feature = "planted")]
async fn number(work: &Work, lease: &Lease) -> Result<i64, TaskError> {
    let id = lease.video();
    let row = work
        .db()
        .run_tx("pin.number", async move |tx| {
            tx.opt("UPDATE videos SET events = events + 1 WHERE id = $1 RETURNING events", &[&id])
                .await
        })
        .await?;
    Ok(row.ok_or(Cause::Row("the task's video is gone"))?.get("events"))
}

/// The rest of it.
#[cfg(feature = "planted")]
async fn store(tx: &Tx, video: uuid::Uuid, number: i64, pin: &Pin) -> Result<(), TaskError> {
    let data = serde_json::json!({ "target": pin.target, "cid": pin.cid });
    tx.exec(
        "INSERT INTO events (video_id, seq, at, name, data) VALUES ($1, $2, $3, 'pinned', $4)",
        &[&video, &number, &tx.now(), &data],
    )
    .await?;
    Ok(())
}

async fn push_folder(work: &Work, node: &Node, video: &Video, root: Cid) -> Result<(), TaskError> {
    let published = Published::read(work.db(), video.id).await?;
    for file in published.stored() {
        push(work, node, &file.key, file.cid).await?;
    }
    let folder = Directory::build(published.entries())?;
    if folder.cid != root {
        return Err(Cause::Row("the rows no longer make the published folder").into());
    }
    node.put_blocks(folder.blocks).await?;
    Ok(())
}

/// Sends an object's blocks from the bucket to the node.
async fn push(work: &Work, node: &Node, key: &str, cid: Cid) -> Result<(), TaskError> {
    let object = work.bucket().get(key, None).await?;
    let pieces = ReaderStream::with_capacity(object.into_reader(), PIECE);
    node.put_file(pieces, Some(cid)).await?;
    Ok(())
}
