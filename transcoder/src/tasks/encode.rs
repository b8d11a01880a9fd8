//! The task `encode`: one ffmpeg makes every rung of a stretch; we cut, hash, store and commit the
//! segments as they come.

use reelpin_plan::fmp4;
use reelpin_plan::plan::VideoPlan;
use reelpin_plan::{Mismatch, Plan, Probe, Refusal, Stretch};
use reelpin_schema::event::{self, Event};
use reelpin_schema::segment;
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
    let picture = plan.video.as_ref().ok_or(Cause::Row("the plan has no picture"))?;
    let place = usize::try_from(lease.place()).map_err(|_| Cause::Row("a stretch's place"))?;
    let stretch = picture.stretches.get(place).ok_or(Cause::Row("the plan has no such stretch"))?;
    let rows = rungs(work, lease, picture).await?;
    match encode(work, lease, &video, &plan, stretch, &rows).await {
        Ok(()) => finish(work, lease, &plan, &rows).await,
        Err(TaskError::Ours(Cause::Fmp4(fmp4::Error::Empty))) => Err(Refusal::NoFrames.into()),
        Err(TaskError::Ours(Cause::Mismatch(mismatch))) => {
            differs(work, lease, &video, &plan, mismatch).await
        }
        Err(e) => Err(e),
    }
}

/// The rows of the rungs, in the plan's order.
async fn rungs(
    work: &Work,
    lease: &Lease,
    picture: &VideoPlan,
) -> Result<Vec<Transcode>, TaskError> {
    let id = lease.video();
    let all =
        work.db().run_tx("encode.rows", async move |tx| transcode::of_video(tx, id).await).await?;
    picture
        .rungs
        .iter()
        .map(|rung| {
            all.iter()
                .find(|row| row.format == Format::Hls && row.resolution == rung.name)
                .cloned()
                .ok_or_else(|| Cause::Row("a planned rung has no row").into())
        })
        .collect()
}

async fn encode(
    work: &Work,
    lease: &Lease,
    video: &Video,
    plan: &Plan,
    stretch: &Stretch,
    rows: &[Transcode],
) -> Result<(), TaskError> {
    let store = Store::new(work, lease, plan.grid.n_segments());
    let (mut out, mut kept) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for row in rows {
        let (made, ready) = mpsc::channel(SEGMENTS);
        out.push(made);
        kept.push(store.keep(row, ready));
    }
    // What cannot be stored ends the encode at once.
    let kept = futures_util::future::try_join_all(kept);
    let made = work.encoder.encode(work.bucket(), video, plan, stretch, out);
    futures_util::future::try_join(kept, made).await?;
    Ok(())
}

/// The encode is not what was planned: the index lies, or the original is damaged. It is tried once
/// more as it is, then planned anew without the index.
async fn differs(
    work: &Work,
    lease: &Lease,
    video: &Video,
    plan: &Plan,
    mismatch: Mismatch,
) -> Result<(), TaskError> {
    if mismatch.is_theirs() {
        return Err(Refusal::NoFrames.into());
    }
    let stretches = plan.video.as_ref().map_or(0, |picture| picture.stretches.len());
    // The one stretch of a plan without an index cannot take the place of several.
    if lease.failures() == 0 || !plan.grid.exact || stretches > 1 {
        return Err(mismatch.into());
    }
    tracing::warn!(video.id = %video.id, "planned anew without an index: {mismatch}");
    let stored = video.probe.clone().ok_or(Cause::Row("the video has no probe"))?;
    let probe: Probe =
        serde_json::from_value(stored).map_err(|source| Cause::Json { what: "probe", source })?;
    let plan = Plan::new(&probe, None, &work.options)?;
    let plan =
        serde_json::to_value(&plan).map_err(|source| Cause::Json { what: "plan", source })?;
    let held = lease.clone();
    work.db()
        .run_tx("encode.replan", async move |tx| video::replanned(tx, &held, &plan).await)
        .await?;
    Err(TaskError::Later(time::Duration::ZERO))
}

async fn finish(
    work: &Work,
    lease: &Lease,
    plan: &Plan,
    rows: &[Transcode],
) -> Result<(), TaskError> {
    let (held, planned) = (lease.clone(), i64::from(plan.grid.n_segments()));
    let exact = plan.grid.exact;
    let rungs: Vec<_> = rows.iter().map(|row| (row.id, row.resolution.clone())).collect();
    work.db()
        .run_tx("encode.finish", async move |tx| {
            task::finish(tx, &held).await?;
            let counts = segment::counts(tx, held.video()).await?;
            for (id, resolution) in &rungs {
                let whole = counts.iter().any(|(r, stored)| r == resolution && *stored == planned);
                // Without an index there is one stretch, and it ends where the film does.
                if (whole || !exact) && transcode::set_stored(tx, *id).await? {
                    let event = Event::RungCompleted { resolution: resolution.clone() };
                    event::append(tx, held.video(), &event).await?;
                }
            }
            video::playable(tx, held.video()).await?;
            Ok::<_, TaskError>(())
        })
        .await
}
