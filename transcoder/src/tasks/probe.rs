//! The task `probe`: the original's facts, its checksum and content id, and the plan of all that
//! is to be made of it.

use reelpin_plan::{Plan, Probe, TICKS};
use reelpin_schema::cid::Digest;
use reelpin_schema::event::Event;
use reelpin_schema::pin::{NewPin, Role};
use reelpin_schema::task::{Kind, Lease, NewTask};
use reelpin_schema::transcode::{AUDIO, Format, NewRendition};
use reelpin_schema::video::{self, Planned};

use super::video_of;
use crate::error::{Cause, TaskError};
use crate::work::Work;

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let probed = work.encoder.probe(work.bucket(), &video).await?;
    if probed.digest.file.size != video.file_size {
        return Err(Cause::Row("the original is not as large as was declared").into());
    }
    let plan = Plan::new(&probed.probe, probed.index.as_ref(), &work.options)?;
    let planned = decided(work, &probed.probe, &plan, &probed.digest)?;
    let held = lease.clone();
    work.db()
        .run_tx("probe.finish", async move |tx| video::planned(tx, &held, &planned).await)
        .await?;
    Ok(())
}

fn decided(
    work: &Work,
    probe: &Probe,
    plan: &Plan,
    original: &Digest,
) -> Result<Planned, TaskError> {
    let rungs = plan.video.as_ref().map_or(&[][..], |v| &v.rungs);
    let mut renditions: Vec<NewRendition> = rungs
        .iter()
        .map(|rung| NewRendition {
            format: Format::Hls,
            resolution: rung.name.clone(),
            width: Some(rung.width),
            height: Some(rung.height),
            stored: None,
        })
        .collect();
    if plan.audio.is_some() {
        renditions.push(NewRendition {
            format: Format::Hls,
            resolution: AUDIO.to_owned(),
            width: None,
            height: None,
            stored: None,
        });
    }
    let cid = original.file.cid.to_string();
    let mut tasks = making(plan);
    let mut pins = Vec::new();
    if work.engines.node.is_some() && work.engines.pin_original {
        pins.push(NewPin::at_node(Role::Original, cid.clone()));
        tasks.push(NewTask { kind: Kind::Pin, place: Role::Original.place(), after: &[] });
    }
    let shown = probe.video.as_ref();
    Ok(Planned {
        probe: json("probe", probe)?,
        plan: json("plan", plan)?,
        checksum: original.sha256_hex.clone(),
        ipfs_cid: cid,
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
        tasks,
        pins,
    })
}

/// The tasks that make what is planned. Packaging waits for all the others.
fn making(plan: &Plan) -> Vec<NewTask> {
    let mut tasks = Vec::new();
    if let Some(picture) = &plan.video {
        tasks.push(NewTask::of(Kind::Poster));
        tasks.extend((0..).zip(&picture.stretches).map(|(place, _)| NewTask {
            kind: Kind::Encode,
            place,
            after: &[],
        }));
    }
    if plan.audio.is_some() {
        tasks.push(NewTask::of(Kind::Audio));
    }
    tasks.push(NewTask {
        kind: Kind::Package,
        place: 0,
        after: &[Kind::Encode, Kind::Audio, Kind::Poster],
    });
    tasks
}

fn json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<serde_json::Value, Cause> {
    serde_json::to_value(value).map_err(|source| Cause::Json { what, source })
}
