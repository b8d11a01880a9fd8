//! The task `probe`: the original's facts, and the plan of all that is to be made of it.

use reelpin_plan::{Plan, Probe, Run, TICKS};
use reelpin_schema::event::Event;
use reelpin_schema::task::{Kind, Lease, NewTask};
use reelpin_schema::transcode::{AUDIO, Format, NewRendition};
use reelpin_schema::video::{self, Planned};

use super::{json, video_of};
use crate::error::TaskError;
use crate::work::Work;

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let probed = work.encoder.probe(work.bucket(), &video).await?;
    let plan = probed.plan(&work.options)?;
    let planned = decided(&probed.probe, &plan)?;
    let held = lease.clone();
    work.db()
        .run_tx("probe.finish", async move |tx| video::planned(tx, &held, &planned).await)
        .await?;
    Ok(())
}

fn decided(probe: &Probe, plan: &Plan) -> Result<Planned, TaskError> {
    let rungs = plan.video.as_ref().map_or(&[][..], |v| &v.rungs);
    let mut renditions: Vec<NewRendition> = rungs
        .iter()
        .map(|rung| NewRendition {
            format: Format::Hls,
            resolution: rung.name.clone(),
            width: Some(rung.width),
            height: Some(rung.height),
            copy: rung.copy,
            stored: None,
        })
        .collect();
    if let Some(audio) = &plan.audio {
        renditions.push(NewRendition {
            format: Format::Hls,
            resolution: AUDIO.to_owned(),
            width: None,
            height: None,
            copy: audio.copy,
            stored: None,
        });
    }
    let shown = probe.video.as_ref();
    Ok(Planned {
        probe: json("probe", probe)?,
        plan: json("plan", plan)?,
        probed: Event::Probed {
            duration: plan.duration as f64 / TICKS as f64,
            width: shown.map(|v| v.width),
            height: shown.map(|v| v.height),
        },
        planned: Event::Planned {
            rungs: rungs.iter().map(|rung| rung.name.clone()).collect(),
            audio: plan.audio.is_some(),
        },
        renditions,
        tasks: making(plan),
    })
}

/// What everything but the starter waits for, so that nothing slows it down.
const STARTED: &[Kind] = &[Kind::Starter];

/// The tasks that make what is planned. Packaging waits for all the others.
fn making(plan: &Plan) -> Vec<NewTask> {
    let mut tasks = Vec::new();
    if let Some(picture) = &plan.video {
        if Run::starter(&plan.grid, picture).is_some() {
            tasks.push(NewTask::of(Kind::Starter));
        }
        tasks.extend(picture.stretches().map(|stretch| NewTask {
            kind: Kind::Encode,
            place: stretch.first.into(),
            until: stretch.end,
            after: STARTED,
        }));
        if picture.copied().is_some() {
            tasks.push(NewTask::after(Kind::Copy, STARTED));
        }
        tasks.push(NewTask::after(Kind::Poster, STARTED));
    }
    if plan.audio.is_some() {
        tasks.push(NewTask::after(Kind::Audio, STARTED));
    }
    tasks.push(NewTask::after(Kind::Digest, STARTED));
    let all = &[Kind::Encode, Kind::Copy, Kind::Audio, Kind::Poster, Kind::Digest];
    tasks.push(NewTask::after(Kind::Package, all));
    tasks
}
