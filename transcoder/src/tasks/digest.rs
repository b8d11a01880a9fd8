//! The task `digest`: checksum and content id of the original, which nothing else reads whole.

use reelpin_schema::pin::Role;
use reelpin_schema::task::Lease;
use reelpin_schema::video::{self, Digested};

use super::video_of;
use crate::error::{Cause, TaskError};
use crate::work::Work;

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let digest = work.encoder.digest(work.bucket(), &video).await?;
    if digest.file.size != video.file_size {
        return Err(Cause::Row("the original is not as large as was declared").into());
    }
    let ipfs_cid = digest.file.cid.to_string();
    let pins = work.pins(Role::Original, &ipfs_cid);
    let done = Digested { checksum: digest.sha256_hex, ipfs_cid, pins };
    let held = lease.clone();
    work.db()
        .run_tx("digest.finish", async move |tx| video::digested(tx, &held, &done).await)
        .await?;
    Ok(())
}
