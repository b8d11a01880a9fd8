//! The task `probe`: the original's facts, its checksum and content id, and the plan of all that
//! is to be made of it.

use reelpin_plan::argv;
use reelpin_plan::{Index, Options, Plan, Probe, Refusal, TICKS};
use reelpin_schema::event::Event;
use reelpin_schema::pin::{NewPin, Role};
use reelpin_schema::task::{Kind, Lease, NewTask};
use reelpin_schema::transcode::{AUDIO, Format, NewRendition};
use reelpin_schema::video::{self, Planned};

use super::video_of;
use crate::error::{Cause, TaskError};
use crate::media;
use crate::original::Original;
use crate::work::Work;

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let original = work.originals.get(work, &video).await?;
    let probe = probe(work, &original).await?;
    let index = index(work, &probe, &original).await?;
    let plan = Plan::new(&probe, index.as_ref(), &Options::default())?;
    let planned = decided(work, &probe, &plan, &original)?;
    let held = lease.clone();
    work.db()
        .run_tx("probe.finish", async move |tx| video::planned(tx, &held, &planned).await)
        .await?;
    Ok(())
}

async fn probe(work: &Work, original: &Original) -> Result<Probe, TaskError> {
    let folder = work.folders.folder()?;
    let path = original.path();
    let argv = argv::probe(&media::text(&path)?);
    match media::look(work, &argv, folder.path(), &[path]).await {
        Ok(told) => Ok(Probe::parse(&String::from_utf8_lossy(&told))?),
        Err(e) if e.is_theirs() => {
            tracing::info!(?e, "ffprobe does not understand an upload");
            Err(refusal(&e).into())
        }
        Err(e) => Err(e.cause(argv.program).into()),
    }
}

/// What a file of which ffprobe tells nothing is refused for.
fn refusal(e: &media::LookError) -> Refusal {
    // Its own limit of pixels, which it holds before it tells them.
    if e.said().contains("exceeds specified max pixel count") {
        return Refusal::TooManyPixels { width: 0, height: 0 };
    }
    Refusal::NotAVideo
}

/// The frame index, where one can be had.
async fn index(
    work: &Work,
    probe: &Probe,
    original: &Original,
) -> Result<Option<Index>, TaskError> {
    let Some(stream) = probe.indexable() else { return Ok(None) };
    let folder = work.folders.folder()?;
    let path = original.path();
    let argv = argv::packets(&media::text(&path)?, stream);
    match media::look(work, &argv, folder.path(), &[path]).await {
        Ok(told) => Ok(Index::parse(&String::from_utf8_lossy(&told))),
        Err(e) if e.is_theirs() => Ok(None),
        Err(e) => Err(e.cause(argv.program).into()),
    }
}

fn decided(
    work: &Work,
    probe: &Probe,
    plan: &Plan,
    original: &Original,
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
    let cid = original.digest().file.cid.to_string();
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
        checksum: original.digest().sha256_hex.clone(),
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
