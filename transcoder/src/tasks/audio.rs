//! The task `audio`: the sound as a rendition of its own, cut at or before each cut of the picture.

use reelpin_plan::{Plan, fmp4};
use reelpin_schema::event::{self, Event};
use reelpin_schema::failure::Failure;
use reelpin_schema::task::{self, Lease};
use reelpin_schema::transcode::{self, Format, Transcode};
use reelpin_schema::video::{self, Video};
use tokio::sync::mpsc;

use super::store::{SEGMENTS, Store};
use super::{plan_of, video_of};
use crate::error::{Cause, TaskError};
use crate::work::Work;

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let plan = plan_of(&video)?;
    let row = row(work, lease).await?;
    if row.stored_at.is_none() {
        encode(work, lease, &video, &plan, &row).await.map_err(blame)?;
    }
    let held = lease.clone();
    work.db()
        .run_tx("audio.finish", async move |tx| {
            task::finish(tx, &held).await?;
            if transcode::set_stored(tx, row.id).await? {
                let event = Event::RungCompleted { resolution: row.resolution.clone() };
                event::append(tx, held.video(), &event).await?;
            }
            video::playable(tx, held.video()).await?;
            Ok::<_, TaskError>(())
        })
        .await
}

/// Sound of which nothing can be decoded is the upload's fault.
fn blame(e: TaskError) -> TaskError {
    let silent = match &e {
        TaskError::Ours(Cause::Mismatch(mismatch)) => mismatch.is_theirs(),
        TaskError::Ours(Cause::Fmp4(e)) => *e == fmp4::Error::Empty,
        _ => false,
    };
    if !silent {
        return e;
    }
    TaskError::Theirs(Failure::new(
        "no_sound",
        "No sound can be decoded from this file, although it says that it has some.",
        "The file may be cut off or damaged: export it again and upload that.",
    ))
}

async fn row(work: &Work, lease: &Lease) -> Result<Transcode, TaskError> {
    let id = lease.video();
    let all =
        work.db().run_tx("audio.row", async move |tx| transcode::of_video(tx, id).await).await?;
    let found = all.into_iter().find(|row| row.format == Format::Hls && row.is_audio());
    Ok(found.ok_or(Cause::Row("the planned audio has no row"))?)
}

async fn encode(
    work: &Work,
    lease: &Lease,
    video: &Video,
    plan: &Plan,
    row: &Transcode,
) -> Result<(), TaskError> {
    let store = Store::new(work, lease, plan.grid.n_segments());
    let (out, made) = mpsc::channel(SEGMENTS);
    let encoded = work.encoder.audio(work.bucket(), video, plan, out);
    futures_util::future::try_join(store.keep(row, made), encoded).await?;
    Ok(())
}
