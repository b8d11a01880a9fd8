//! The kinds of tasks, one file each: a plain async step over what a worker works with. Each ends
//! its task by a transaction of its own.

mod audio;
mod copy;
mod delete;
mod digest;
mod encode;
mod lines;
mod package;
mod pin;
mod pin_service;
mod poster;
mod probe;
mod starter;
mod store;

use reelpin_schema::task::{Kind, Lease};
use reelpin_schema::video::{self, Video};

use crate::error::{Cause, TaskError};
use crate::work::Work;

/// Does what a lease gives the right to do.
pub(crate) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    match lease.kind() {
        Kind::Probe => probe::run(work, lease).await,
        Kind::Starter => starter::run(work, lease).await,
        Kind::Encode => encode::run(work, lease).await,
        Kind::Copy => copy::run(work, lease).await,
        Kind::Audio => audio::run(work, lease).await,
        Kind::Poster => poster::run(work, lease).await,
        Kind::Digest => digest::run(work, lease).await,
        Kind::Package => package::run(work, lease).await,
        Kind::Pin => pin::run(work, lease).await,
        Kind::PinService => pin_service::run(work, lease).await,
        Kind::Delete => delete::run(work, lease).await,
    }
}

/// Reads the task's video.
async fn video_of(work: &Work, lease: &Lease) -> Result<Video, TaskError> {
    let id = lease.video();
    let found = work.db().run_tx("task.video", async move |tx| video::get(tx, id).await).await?;
    Ok(found.ok_or(Cause::Row("the task's video is gone"))?)
}

/// Reads what is known of a video's original.
fn probe_of(video: &Video) -> Result<reelpin_plan::Probe, TaskError> {
    let stored = video.probe.clone().ok_or(Cause::Row("the video has no probe"))?;
    Ok(serde_json::from_value(stored).map_err(|source| Cause::Json { what: "probe", source })?)
}

/// What is stored of a value.
fn json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<serde_json::Value, Cause> {
    serde_json::to_value(value).map_err(|source| Cause::Json { what, source })
}

/// Reads a video's plan.
fn plan_of(video: &Video) -> Result<reelpin_plan::Plan, TaskError> {
    let stored = video.plan.clone().ok_or(Cause::Row("the video has no plan"))?;
    let plan: reelpin_plan::Plan =
        serde_json::from_value(stored).map_err(|source| Cause::Json { what: "plan", source })?;
    if !plan.is_known() {
        return Err(Cause::Row("the plan is another version's: upload the film again").into());
    }
    Ok(plan)
}
