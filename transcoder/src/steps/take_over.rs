//! Taking over: a worker without a stretch makes the far part of another's.

use reelpin_plan::{Plan, stretch};
use reelpin_schema::db::DbError;
use reelpin_schema::task::{self, Busy};
use reelpin_schema::video;

use crate::work::Work;

/// Stretches that are looked at.
const LOOKED_AT: i64 = 20;

/// Makes the far part of the stretch with the most to do a task that is ready; returns whether there was one.
pub(super) async fn take_over(work: &Work) -> Result<bool, DbError> {
    let busy =
        work.db().run_tx("task.busy", async move |tx| task::busy(tx, LOOKED_AT).await).await?;
    let left = |busy: &Busy| busy.until.saturating_sub(busy.reached);
    let Some(most) = busy.into_iter().filter(|busy| left(busy) >= 2).max_by_key(left) else {
        return Ok(false);
    };
    let id = most.video;
    let found =
        work.db().run_tx("task.busy_video", async move |tx| video::get(tx, id).await).await?;
    let plan = found.and_then(|video| video.plan).map(serde_json::from_value::<Plan>);
    let Some(Ok(plan)) = plan else { return Ok(false) };
    let Some(picture) = &plan.video else { return Ok(false) };
    let joint = stretch::middle(
        &plan.grid,
        &picture.entries,
        picture.time_base,
        most.reached,
        most.until,
        work.options.worth_taking,
    );
    let Some(joint) = joint else { return Ok(false) };
    let taken =
        work.db().run_tx("task.split", async move |tx| task::split(tx, &most, joint).await).await?;
    if taken {
        tracing::info!(video.id = %most.video, from = joint, until = most.until, "takes over the far part of a stretch");
    }
    Ok(taken)
}
