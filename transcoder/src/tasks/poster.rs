//! The task `poster`: one still picture. Of a video that was published without it, the folder is
//! published anew.

use reelpin_schema::cid::Directory;
use reelpin_schema::file::{self, NewFile, Role};
use reelpin_schema::keys;
use reelpin_schema::pin;
use reelpin_schema::task::Lease;
use reelpin_schema::video::{self, Postered, Republished};

use super::{plan_of, video_of};
use crate::error::TaskError;
use crate::published::Published;
use crate::work::Work;

/// How long a poster waits for the packaging, whose folder may or may not hold it.
const PACKAGING: time::Duration = time::Duration::seconds(30);

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let plan = plan_of(&video)?;
    let bytes = work.encoder.poster(work.bucket(), &video, &plan).await?;
    let (cid, size) = (work.hashed(bytes.clone()).await?, bytes.len() as u64);
    let path = format!("{}{}", keys::media(video.id), keys::poster(&lease.suffix()));
    work.bucket().put(&path, bytes, keys::content_type(&path)).await?;
    let poster = NewFile { role: Role::Poster, path, cid, size };
    let (held, made) = (lease.clone(), poster.clone());
    let postered = work
        .db()
        .run_tx("poster.finish", async move |tx| video::postered(tx, &held, &made).await)
        .await?;
    match postered {
        Postered::Stored => Ok(()),
        Postered::Busy => Err(TaskError::Later(PACKAGING)),
        Postered::Published { root_cid } => republish(work, lease, poster, root_cid).await,
    }
}

/// Publishes the video's folder with the poster in it.
async fn republish(
    work: &Work,
    lease: &Lease,
    poster: NewFile,
    was: String,
) -> Result<(), TaskError> {
    let id = lease.video();
    let files =
        work.db().run_tx("poster.files", async move |tx| file::of_video(tx, id).await).await?;
    let mut folder = Published::read(work.db(), id).await?;
    for old in files.iter().filter(|file| file.role == Role::Poster) {
        folder.remove(&old.path);
    }
    folder.add(&poster.path, &poster.cid, poster.size)?;
    let root_cid = Directory::build(folder.entries())?.cid.to_string();
    let pins = work.pins(pin::Role::Published, &root_cid);
    let new = Republished { was, root_cid, file: poster, pins };
    let held = lease.clone();
    work.db()
        .run_tx("poster.republish", async move |tx| video::republished(tx, &held, &new).await)
        .await?;
    Ok(())
}
