//! The task `audio`: the sound as a rendition of its own, encoded or copied, cut at or before each cut of the picture.

use reelpin_plan::{Plan, fmp4};
use reelpin_schema::event::{self, Event};
use reelpin_schema::failure::Failure;
use reelpin_schema::task::{self, Lease};
use reelpin_schema::transcode;
use reelpin_schema::video::{self, Video};

use super::lines::{self, lines};
use super::store::Store;
use super::{json, plan_of, probe_of, video_of};
use crate::encoder::is_of_input;
use crate::error::{Cause, TaskError};
use crate::work::Work;

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let plan = plan_of(&video)?;
    let all = lines(work, lease).await?;
    let sound = lines::sound(&all)?;
    if sound.row.stored_at.is_none() {
        let store = Store::new(work, lease, plan.grid.n_segments(), None, 1);
        match lines::hear(work, &store, &video, &plan, None, sound).await {
            Ok(()) => {}
            Err(e) if is_copied(&plan) && is_of_copy(&e) => {
                return encode_instead(work, lease, &video, &plan, e).await;
            }
            Err(e) => return Err(blame(e)),
        }
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

/// Whether the sound is the original's own.
pub(super) fn is_copied(plan: &Plan) -> bool {
    plan.audio.as_ref().is_some_and(|audio| audio.copy)
}

/// Whether what ended a copy comes of what is copied: damaged sound, or tables that lie. It would be so again.
pub(super) fn is_of_copy(e: &TaskError) -> bool {
    match e {
        TaskError::Theirs(_) => true,
        TaskError::Ours(Cause::Media { source, .. }) => is_of_input(source),
        TaskError::Ours(cause) => {
            matches!(cause, Cause::Mismatch(_) | Cause::Fmp4(_) | Cause::Init { .. })
        }
        TaskError::Lost | TaskError::Later(_) => false,
    }
}

/// Sound that cannot be copied is encoded; the picture stays.
async fn encode_instead(
    work: &Work,
    lease: &Lease,
    video: &Video,
    plan: &Plan,
    e: TaskError,
) -> Result<(), TaskError> {
    tracing::warn!(video.id = %video.id, "its sound is encoded, not copied: {e}");
    let plan = json("plan", &plan.encoding_sound(&probe_of(video)?, &work.options))?;
    let held = lease.clone();
    work.db()
        .run_tx("audio.replan", async move |tx| video::sound_replanned(tx, &held, &plan).await)
        .await?;
    // The lease is over: the next one encodes all of it.
    Err(TaskError::Lost)
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
