//! The task `poster`: one still picture.

use reelpin_schema::file::{self, NewFile, Role};
use reelpin_schema::keys;
use reelpin_schema::task::{self, Lease};

use super::{plan_of, video_of};
use crate::error::TaskError;
use crate::work::Work;

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let plan = plan_of(&video)?;
    let bytes = work.encoder.poster(work.bucket(), &video, &plan).await?;
    let (cid, size) = (work.hashed(bytes.clone()).await?, bytes.len() as u64);
    let key = format!("{}{}", keys::media(video.id), keys::poster(&lease.suffix()));
    work.bucket().put(&key, bytes, keys::content_type(&key)).await?;
    let held = lease.clone();
    work.db()
        .run_tx("poster.finish", async move |tx| {
            task::finish(tx, &held).await?;
            let poster = NewFile { role: Role::Poster, path: key.clone(), cid: cid.clone(), size };
            file::insert_poster(tx, held.video(), &poster).await
        })
        .await?;
    Ok(())
}
