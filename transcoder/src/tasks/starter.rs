//! The task `starter`: the first segment of the lowest rung, and of the sound, before anything else is made, so that
//! the video is playable seconds after its upload.

use reelpin_plan::{Mismatch, Run};
use reelpin_schema::task::{self, Lease};

use super::audio::{is_copied, is_of_copy};
use super::lines::{self, lines};
use super::store::Store;
use super::{plan_of, video_of};
use crate::error::{Cause, TaskError};
use crate::work::Work;

/// Sequence of the first segment that is not the starter's.
const END: Option<u32> = Some(1);

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let plan = plan_of(&video)?;
    let picture = plan.video.as_ref().ok_or(Cause::Row("the plan has no picture"))?;
    let starter = Run::starter(&plan.grid, picture).ok_or(Cause::Row("the plan has no starter"))?;
    let all = lines(work, lease).await?;
    let rungs = lines::rungs(&plan, &all)?;
    let planned = plan.grid.n_segments();
    let lowest = rungs.first().ok_or(Cause::Row("the plan has no rung"))?;
    let seen = async {
        if lowest.known.contains(&0) {
            return Ok(());
        }
        let store = Store::new(work, lease, planned, END, 1);
        match lines::picture(work, &store, &video, &plan, &starter, &rungs).await {
            // Of two seconds; what the film is, its stretches tell.
            Err(TaskError::Theirs(failure)) => {
                tracing::warn!(video.id = %video.id, ?failure, "its beginning cannot be made");
                Err(Mismatch::TooFew { want: 1, got: 0 }.into())
            }
            seen => seen,
        }
    };
    let heard = async {
        if plan.audio.is_none() {
            return Ok(());
        }
        let sound = lines::sound(&all)?;
        if sound.known.contains(&0) {
            return Ok(());
        }
        let store = Store::new(work, lease, planned, END, 1);
        match lines::hear(work, &store, &video, &plan, plan.grid.cut(1), sound).await {
            // The picture need not wait until the sound's own task encodes it.
            Err(e) if is_copied(&plan) && is_of_copy(&e) => {
                tracing::warn!(video.id = %video.id, "its sound is left to a task of its own: {e}");
                Ok(())
            }
            heard => heard,
        }
    };
    futures_util::future::try_join(seen, heard).await?;
    let held = lease.clone();
    Ok(work.db().run_tx("starter.finish", async move |tx| task::finish(tx, &held).await).await?)
}
