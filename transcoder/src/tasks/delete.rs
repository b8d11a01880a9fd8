//! The task `delete`: removes everything of a deleted video but its tombstone and its events.
//! Rows go only after the things themselves are gone.

use reelpin_schema::cid::Cid;
use reelpin_schema::keys;
use reelpin_schema::task::{self, Lease};
use reelpin_schema::{file, pin, segment, transcode};

use crate::error::{Cause, TaskError};
use crate::work::Work;

/// A worker that was at work on the video notices within this time that its lease is gone, and
/// stores nothing afterwards: twice the time between two renewals, and some.
const SETTLED: time::Duration = time::Duration::seconds(35);

/// How many pages of 1,000 keys one attempt removes before it lets others have their turn.
const PAGES: usize = 200;

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let id = lease.video();
    work.originals.forget(id);
    unpin(work, lease).await?;
    for prefix in [keys::media(id), keys::originals(id)] {
        empty(work, &prefix).await?;
    }
    let held = lease.clone();
    let wait = work
        .db()
        .run_tx("delete.settled", async move |tx| task::unsettled(tx, &held, SETTLED).await)
        .await?;
    if let Some(wait) = wait {
        return Err(TaskError::Later(wait));
    }
    let held = lease.clone();
    work.db()
        .run_tx("delete.finish", async move |tx| {
            task::finish(tx, &held).await?;
            segment::remove(tx, id).await?;
            transcode::remove(tx, id).await?;
            file::remove(tx, id).await?;
            pin::remove(tx, id).await
        })
        .await?;
    tracing::info!(video.id = %id, "removed all of a deleted video");
    Ok(())
}

/// Lets go of the video's pins that no other video needs.
async fn unpin(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let Some(node) = &work.engines.node else { return Ok(()) };
    let id = lease.video();
    let pins = work.db().run_tx("delete.pins", async move |tx| pin::only_of(tx, id).await).await?;
    for pin in &pins {
        let cid: Cid = pin.cid.parse()?;
        node.unpin(cid).await?;
    }
    if work.engines.own_node && !pins.is_empty() {
        node.collect_garbage().await?;
    }
    Ok(())
}

async fn empty(work: &Work, prefix: &str) -> Result<(), TaskError> {
    for _ in 0..PAGES {
        let keys = work.bucket().list(prefix).await?;
        if keys.is_empty() {
            return Ok(());
        }
        work.bucket().delete(&keys).await?;
    }
    Err(Cause::Row("more objects than one attempt removes").into())
}
