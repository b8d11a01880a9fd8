//! The task `audio`: the sound as a rendition of its own, cut at or before each cut of the picture.

use reelpin_plan::fmp4;
use reelpin_schema::event::{self, Event};
use reelpin_schema::failure::Failure;
use reelpin_schema::task::{self, Lease};
use reelpin_schema::transcode;

use super::lines::{self, lines};
use super::store::Store;
use super::{plan_of, video_of};
use crate::error::{Cause, TaskError};
use crate::work::Work;

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let plan = plan_of(&video)?;
    let all = lines(work, lease).await?;
    let sound = lines::sound(&all)?;
    if sound.row.stored_at.is_none() {
        let store = Store::new(work, lease, plan.grid.n_segments(), None, 1);
        lines::hear(work, &store, &video, &plan, None, sound).await.map_err(blame)?;
    }
    let row = sound.row.clone();
    let held = lease.clone();
    work.db()
        .run_tx("audio.finish", async move |tx| {
            task::finish(tx, &held).await?;
            if transcode::set_stored(tx, row.id).await? {
                let event = Event::RungCompleted { resolution: row.resolution.clone() };
                event::append(tx, held.video(), &event).await?;
            }
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
