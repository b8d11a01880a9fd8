//! Getting work: claims, and the sweep that takes tasks from workers that are gone.

use std::time::Duration;

use reelpin_schema::db::DbError;
use reelpin_schema::task::{self, Kind, Lease, Wanted};
use reelpin_schema::video::StepError;

use super::end::bury;
use super::take_over::take_over;
use super::{Lane, Worker};
use crate::work::Work;

/// Expired leases taken in one transaction.
const SWEEP: i64 = 50;

/// A task and the right to do it.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The right.
    pub lease: Lease,
    /// When the claim was sent, by the process's clock: the lease is counted from then.
    pub(super) sent: Duration,
}

/// Claims the ready task of a lane that is wanted first; where none is ready but any stretch may be claimed, the
/// far part of one that another worker encodes.
///
/// # Errors
/// [`DbError`]; a claim whose answer was lost expires.
pub async fn claim(worker: Worker, lane: &Lane) -> Result<Option<Claimed>, DbError> {
    let kinds = worker.kinds(lane);
    if kinds.is_empty() {
        return Ok(None);
    }
    let wanted = Wanted { kinds, unstarted: lane.unstarted, ..Wanted::default() };
    let claimed = ready(&worker.work, &wanted).await?;
    // Whose part of a film did not fit takes no more of it.
    let now = worker.work.engines.ambient.now();
    let fits = worker.work.shunned.at(now, &[Kind::Encode]).is_empty();
    let takes = lane.kinds.contains(&Kind::Encode) && !lane.unstarted;
    let may = claimed.is_none() && takes && fits;
    if !may || !take_over(&worker.work).await? {
        return Ok(claimed);
    }
    ready(&worker.work, &wanted).await
}

async fn ready(work: &Work, wanted: &Wanted) -> Result<Option<Claimed>, DbError> {
    let sent = work.engines.ambient.now();
    let (token, name) = (work.engines.ambient.uuid(), work.name.clone());
    let not = work.shunned.at(sent, &wanted.kinds);
    let wanted = Wanted { not, ..wanted.clone() };
    let lease = work
        .db()
        .run_tx("task.claim", async move |tx| task::claim(tx, token, &name, &wanted).await)
        .await?;
    Ok(lease.map(|lease| Claimed { lease, sent }))
}

/// Takes tasks from workers that are gone; returns how many.
///
/// # Errors
/// [`StepError`].
pub async fn sweep(worker: Worker) -> Result<usize, StepError> {
    let work = worker.work;
    let swept = work
        .db()
        .run_tx("task.sweep", async move |tx| {
            let ended = task::sweep(tx, SWEEP).await?;
            for task in &ended {
                bury(tx, task).await?;
            }
            Ok::<_, StepError>(ended)
        })
        .await?;
    for task in &swept {
        let kind = task.kind.name();
        tracing::info!(video.id = %task.video, kind, "took back a task whose lease expired");
        work.queue().video_changed(task.video).await;
    }
    if !swept.is_empty() {
        work.queue().task_ready().await;
    }
    Ok(swept.len())
}
