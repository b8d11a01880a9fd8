//! The task `copy`: the picture of a conforming original as the top rung, not encoded again.

use reelpin_schema::event::{self, Event};
use reelpin_schema::task::{self, Lease};
use reelpin_schema::transcode;
use tokio::sync::mpsc;

use super::encode::differs;
use super::lines::{self, lines};
use super::store::{SEGMENTS, Store};
use super::{plan_of, video_of};
use crate::error::{Cause, TaskError};
use crate::work::Work;

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let plan = plan_of(&video)?;
    let picture = plan.video.as_ref().ok_or(Cause::Row("the plan has no picture"))?;
    let copied = picture.copied().ok_or(Cause::Row("the plan copies nothing"))?;
    let all = lines(work, lease).await?;
    let rungs = lines::rungs(&plan, &all)?;
    let line = rungs.get(copied).ok_or(Cause::Row("the copied rung has no row"))?;
    let planned = plan.grid.n_segments();
    if line.stored(0) < planned {
        let store = Store::new(work, lease, planned, None, 1);
        let (out, made) = mpsc::channel(SEGMENTS);
        let copying = work.encoder.copy(work.bucket(), &video, &plan, out);
        let kept = store.keep(&line.row, 0, &line.known, made);
        match futures_util::future::try_join(kept, copying).await {
            Ok(_) => {}
            Err(TaskError::Ours(Cause::Mismatch(mismatch))) => {
                return differs(work, lease, &video, &plan, mismatch).await;
            }
            Err(e) => return Err(e),
        }
    }
    let (held, row) = (lease.clone(), line.row.clone());
    work.db()
        .run_tx("copy.finish", async move |tx| {
            task::finish(tx, &held).await?;
            if transcode::set_stored(tx, row.id).await? {
                let event = Event::RungCompleted { resolution: row.resolution.clone() };
                event::append(tx, held.video(), &event).await?;
            }
            Ok::<_, TaskError>(())
        })
        .await
}
