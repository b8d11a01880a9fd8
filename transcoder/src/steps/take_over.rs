//! Taking over: a worker without a stretch makes the far part of another's.

use std::cmp::Reverse;

use reelpin_plan::stretch::{Joint, Rest};
use reelpin_plan::{Plan, stretch};
use reelpin_schema::db::DbError;
use reelpin_schema::task::{self, Busy};
use reelpin_schema::video;

use crate::work::Work;

/// Stretches that are looked at.
const LOOKED_AT: i64 = 20;

/// Those of them, with the most to do, of which it is reckoned what taking over wins.
const RECKONED: usize = 4;

/// Makes the far part of the stretch where that wins most a task that is ready; returns whether there was one.
pub(super) async fn take_over(work: &Work) -> Result<bool, DbError> {
    let mut busy =
        work.db().run_tx("task.busy", async move |tx| task::busy(tx, LOOKED_AT).await).await?;
    let left = |busy: &Busy| busy.until.map(|until| until.saturating_sub(busy.reached));
    busy.retain(|busy| left(busy).is_none_or(|left| left >= 2));
    // Of those that end with their film it is not known here how much that is: they come last.
    busy.sort_by_key(|busy| Reverse(left(busy)));
    let mut best: Option<(Joint, Busy)> = None;
    for one in busy.into_iter().take(RECKONED) {
        let Some(joint) = joint(work, &one).await? else { continue };
        let worth = joint.wins >= work.options.worth_taking;
        if worth && best.as_ref().is_none_or(|(other, _)| other.wins < joint.wins) {
            best = Some((joint, one));
        }
    }
    let Some((Joint { at, .. }, most)) = best else { return Ok(false) };
    let video = most.video;
    let taken =
        work.db().run_tx("task.split", async move |tx| task::split(tx, &most, at).await).await?;
    if taken {
        tracing::info!(video.id = %video, from = at, "takes over the far part of a stretch");
    }
    Ok(taken)
}

/// Where a stretch would be cut.
async fn joint(work: &Work, busy: &Busy) -> Result<Option<Joint>, DbError> {
    let id = busy.video;
    let found =
        work.db().run_tx("task.busy_video", async move |tx| video::get(tx, id).await).await?;
    let plan = found.and_then(|video| video.plan).map(serde_json::from_value::<Plan>);
    let Some(Ok(plan)) = plan else { return Ok(None) };
    let Some(picture) = &plan.video else { return Ok(None) };
    let end = busy.until.unwrap_or_else(|| plan.grid.n_segments());
    let rest = Rest { reached: busy.reached, free: busy.free, end };
    Ok(stretch::middle(&plan.grid, &picture.entries, picture.time_base, rest))
}
