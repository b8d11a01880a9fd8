//! The task `encode`: one ffmpeg makes every rung of a stretch; we cut, hash, store and commit the
//! segments as they come.

use reelpin_plan::plan::VideoPlan;
use reelpin_plan::{Mismatch, Plan, Refusal, Run, Stretch, fmp4};
use reelpin_schema::event::{self, Event};
use reelpin_schema::segment;
use reelpin_schema::task::{self, Lease};
use reelpin_schema::transcode;
use reelpin_schema::video::{self, Video};

use super::lines::{self, Line, lines};
use super::store::Store;
use super::{json, plan_of, probe_of, video_of};
use crate::error::{Cause, TaskError};
use crate::work::Work;

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let plan = plan_of(&video)?;
    let picture = plan.video.as_ref().ok_or(Cause::Row("the plan has no picture"))?;
    let all = lines(work, lease).await?;
    let rungs = lines::rungs(&plan, &all)?;
    let held = lease.clone();
    let end = work.db().run_tx("encode.end", async move |tx| task::end(tx, &held).await).await?;
    let first = u32::try_from(lease.place()).map_err(|_| Cause::Row("a stretch's place"))?;
    // Without an index nobody knows which segment comes next: it is made from the beginning.
    let stored = |rung: usize| match rungs.get(rung) {
        Some(line) if plan.grid.is_divisible() => line.stored(first),
        _ => 0,
    };
    let run = Run::rest(picture, Stretch { first, end }, stored);
    let begins = run.as_ref().map_or(first, Run::first);
    let is_part = begins > 0 || end.is_some_and(|end| end < plan.grid.n_segments());
    let done = match run {
        Some(run) => encode(work, lease, &video, &plan, &run, &rungs).await,
        None => Ok(()),
    };
    match done {
        Ok(()) => finish(work, lease, &plan, &rungs).await,
        // What is wrong with a part is not yet the film's fault: by its tables it has frames.
        Err(TaskError::Theirs(_) | TaskError::Ours(Cause::Fmp4(fmp4::Error::Empty))) if is_part => {
            let nothing = Mismatch::TooFew { want: end.unwrap_or(first + 1), got: first };
            differs(work, lease, &video, &plan, nothing).await
        }
        Err(TaskError::Ours(Cause::Fmp4(fmp4::Error::Empty))) => Err(Refusal::NoFrames.into()),
        Err(TaskError::Ours(Cause::Mismatch(mismatch))) => {
            differs(work, lease, &video, &plan, mismatch).await
        }
        Err(e) => Err(e),
    }
}

async fn encode(
    work: &Work,
    lease: &Lease,
    video: &Video,
    plan: &Plan,
    run: &Run,
    rungs: &[&Line],
) -> Result<(), TaskError> {
    let store = Store::new(work, lease, plan.grid.n_segments(), run.end, run.parts.len());
    lines::picture(work, &store, video, plan, run, rungs).await
}

/// The encode is not what was planned: the index lies, or the original is damaged. It is tried once
/// more as it is, then planned anew as one stretch, without the index or the cues.
pub(super) async fn differs(
    work: &Work,
    lease: &Lease,
    video: &Video,
    plan: &Plan,
    mismatch: Mismatch,
) -> Result<(), TaskError> {
    if mismatch.is_theirs() {
        return Err(Refusal::NoFrames.into());
    }
    if lease.failures() == 0 || !plan.grid.is_divisible() {
        return Err(mismatch.into());
    }
    tracing::warn!(video.id = %video.id, "planned anew as one stretch: {mismatch}");
    let probe = probe_of(video)?;
    let plan = Plan::new(&probe, None, &work.options)?;
    let plan = json("plan", &plan)?;
    let held = lease.clone();
    work.db()
        .run_tx("encode.replan", async move |tx| video::replanned(tx, &held, &plan).await)
        .await?;
    // The task is gone: another one makes the whole of it.
    Err(TaskError::Lost)
}

async fn finish(work: &Work, lease: &Lease, plan: &Plan, rungs: &[&Line]) -> Result<(), TaskError> {
    let (held, planned) = (lease.clone(), i64::from(plan.grid.n_segments()));
    let (exact, divisible) = (plan.grid.exact, plan.grid.is_divisible());
    let copied = plan.video.as_ref().and_then(VideoPlan::copied);
    let encoded = rungs.iter().enumerate().filter(|(rung, _)| Some(*rung) != copied);
    let rungs: Vec<_> =
        encoded.map(|(_, line)| (line.row.id, line.row.resolution.clone())).collect();
    work.db()
        .run_tx("encode.finish", async move |tx| {
            let until = task::end(tx, &held).await?;
            task::finish(tx, &held).await?;
            for (id, resolution) in &rungs {
                if let Some(until) = until.filter(|_| divisible)
                    && segment::stored(tx, *id, held.place(), until.into()).await?
                        != i64::from(until) - held.place()
                {
                    return Err(Cause::Row("a stretch lacks segments at its end").into());
                }
                // Without an index the last stretch ends where the film does, wherever that is.
                let whole = if exact {
                    segment::stored(tx, *id, 0, planned).await? == planned
                } else {
                    task::were_all_stretches(tx, held.video()).await?
                };
                if whole && transcode::set_stored(tx, *id).await? {
                    let event = Event::RungCompleted { resolution: resolution.clone() };
                    event::append(tx, held.video(), &event).await?;
                }
            }
            Ok::<_, TaskError>(())
        })
        .await
}
