//! The task `delete`: removes everything of a deleted video but its tombstone and its events.
//! Rows go only after the things themselves are gone.

use reelpin_schema::cid::Cid;
use reelpin_schema::keys;
use reelpin_schema::task::{self, Lease};
use reelpin_schema::{file, pin, segment, transcode, video};

use crate::error::{Cause, TaskError};
use crate::work::Work;

/// A worker that was at work on the video notices within this time that its lease is gone, and
/// stores nothing afterwards: twice the time between two renewals, and some.
const SETTLED: time::Duration = time::Duration::seconds(35);

/// How many pages of 1,000 keys one attempt removes before it lets others have their turn.
const PAGES: usize = 200;

/// How long a PUT that began before its address expired may still be under way: 5 GiB at 0.5 MB/s.
const LATE_PUT: time::Duration = time::Duration::hours(3);

/// The longest wait between two looks for an upload that comes after all.
const LOOK: time::Duration = time::Duration::minutes(15);

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let id = lease.video();
    work.encoder.forget(id);
    for prefix in [keys::media(id), keys::originals(id)] {
        empty(work, &prefix).await?;
    }
    unpin(work, lease).await?;
    let held = lease.clone();
    let (unsettled, ticket_rest) = work
        .db()
        .run_tx("delete.settled", async move |tx| {
            let unsettled = task::unsettled(tx, &held, SETTLED).await?;
            let video = video::get(tx, id).await?;
            // Its address still admits a PUT, and more so since the first one's object is gone.
            let open = video.map(|v| v.ticket_until + LATE_PUT);
            let rest = open.map(|until| until - tx.now()).filter(|rest| rest.is_positive());
            Ok::<_, TaskError>((unsettled, rest.map(|rest| rest.min(LOOK))))
        })
        .await?;
    if let Some(wait) = unsettled.or(ticket_rest) {
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

/// Lets go of the video's pins that no other video needs. A node that is away holds up only this.
async fn unpin(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let id = lease.video();
    let pins = work.db().run_tx("delete.pins", async move |tx| pin::only_of(tx, id).await).await?;
    let Some(node) = &work.engines.node else {
        // Another worker, one with a node, has to let go of them.
        return if pins.is_empty() { Ok(()) } else { Err(TaskError::Later(LOOK)) };
    };
    for pin in &pins {
        let cid: Cid = pin.cid.parse()?;
        node.unpin(cid).await?;
    }
    if work.engines.own_node && !pins.is_empty() {
        // Best effort: the next deletion collects what this one left.
        if let Err(error) = node.collect_garbage().await {
            tracing::warn!(%error, "the IPFS node did not collect its unpinned blocks");
        }
    }
    Ok(())
}

async fn empty(work: &Work, prefix: &str) -> Result<(), TaskError> {
    for _ in 0..PAGES {
        let keys = work.bucket().list(prefix, None).await?;
        let keys: Vec<String> = keys.into_iter().map(|object| object.key).collect();
        if keys.is_empty() {
            return Ok(());
        }
        work.bucket().delete(&keys).await?;
    }
    Err(Cause::Row("more objects than one attempt removes").into())
}
