//! The task `delete`: removes everything of a deleted video but its tombstone and its events. Rows go
//! only after the things themselves are gone.
//!
//! What arrives later is the janitor's: uploads to an address that is still good, and objects of
//! workers that died while they were storing them. Pins went with the video, in the transaction that
//! deleted it, and the janitor tells the node.

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
    work.encoder.forget(id);
    for prefix in [keys::media(id), keys::originals(id)] {
        empty(work, &prefix).await?;
    }
    let held = lease.clone();
    let unsettled = work
        .db()
        .run_tx("delete.finish", async move |tx| {
            // Earlier attempts of the deletion itself count for nothing: all they do is remove.
            let unsettled = task::unsettled(tx, &held, SETTLED).await?;
            if unsettled.is_none() {
                task::finish(tx, &held).await?;
                segment::remove(tx, id).await?;
                transcode::remove(tx, id).await?;
                file::remove(tx, id).await?;
                pin::remove(tx, id).await?;
            }
            Ok::<_, TaskError>(unsettled)
        })
        .await?;
    if let Some(wait) = unsettled {
        return Err(TaskError::Later(wait));
    }
    tracing::info!(video.id = %id, "removed all of a deleted video");
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
