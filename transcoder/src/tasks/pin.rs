//! The task `pin`: brings a content id to the IPFS node, block by block, and believes that it is
//! kept only when the node lists it.

use reelpin_schema::cid::{Cid, Directory};
use reelpin_schema::event::{self, Event};
use reelpin_schema::ipfs::{Node, PinName};
use reelpin_schema::pin::{self, Pin, Role, State};
use reelpin_schema::task::{self, Lease};
use reelpin_schema::video::Video;
use tokio_util::io::ReaderStream;

use super::video_of;
use crate::error::{Cause, TaskError};
use crate::published::Published;
use crate::work::Work;

/// Bytes read from the bucket at a time on their way to the node.
const PIECE: usize = 1 << 20;

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let node = work.engines.node.as_ref().ok_or(Cause::Row("no IPFS node is configured"))?;
    let video = video_of(work, lease).await?;
    let pin = pin_of(work, lease).await?;
    let root: Cid = pin.cid.parse()?;
    if !node.is_pinned(root).await? {
        match pin.role {
            Role::Published => push_folder(work, node, &video, root).await?,
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
    let held = lease.clone();
    work.db()
        .run_tx("pin.finish", async move |tx| {
            task::finish(tx, &held).await?;
            pin::set_state(tx, held.video(), pin.role, State::Pinned).await?;
            let pinned = Event::Pinned { target: pin.target.clone(), cid: pin.cid.clone() };
            event::append(tx, held.video(), &pinned).await
        })
        .await?;
    Ok(())
}

async fn pin_of(work: &Work, lease: &Lease) -> Result<Pin, TaskError> {
    let held = lease.clone();
    let found = work
        .db()
        .run_tx("pin.begin", async move |tx| {
            task::guard(tx, &held).await?;
            let pins = pin::of_video(tx, held.video()).await?;
            let Some(pin) = pins.into_iter().find(|p| p.role.place() == held.place()) else {
                return Ok(None);
            };
            if pin.state != State::Pinned {
                pin::set_state(tx, held.video(), pin.role, State::Pinning).await?;
            }
            Ok::<_, TaskError>(Some(pin))
        })
        .await?;
    Ok(found.ok_or(Cause::Row("the task's pin is gone"))?)
}

async fn push_folder(
    work: &Work,
    node: &Node,
    video: &Video,
    root: Cid,
) -> Result<(), TaskError> {
    let published = Published::read(work.db(), video.id).await?;
    for file in published.stored() {
        push(work, node, &file.key, file.cid).await?;
    }
    let folder = Directory::build(published.entries())?;
    if folder.cid != root {
        return Err(Cause::Row("the rows no longer make the published folder").into());
    }
    node.put_blocks(folder.blocks.iter()).await?;
    Ok(())
}

/// Sends an object's blocks from the bucket to the node.
async fn push(work: &Work, node: &Node, key: &str, cid: Cid) -> Result<(), TaskError> {
    let object = work.bucket().get(key, None).await?;
    let pieces = ReaderStream::with_capacity(object.into_reader(), PIECE);
    node.put_file(pieces, Some(cid)).await?;
    Ok(())
}
