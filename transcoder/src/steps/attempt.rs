//! One attempt: the work beside the renewals of its lease, and the end of it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use reelpin_schema::db::DbError;
use reelpin_schema::task::{self, Lease};

use super::end::end;
use super::fence::{Fence, Passed};
use super::{Claimed, Worker};
use crate::error::{Cause, TaskError};
use crate::tasks;
use crate::work::Work;

/// How often a lease is renewed: three times in its life.
const RENEW: Duration = Duration::from_secs(10);

/// How long a worker waits for the database to take the end of a task.
const GRACE: Duration = Duration::from_secs(30);

/// The same when it is stopping.
const LAST_GRACE: Duration = Duration::from_secs(5);

/// Does a task beside the renewal of its lease, and stores how it ended; gives it back, uncounted,
/// when `stop` comes first. Dropped half-way, its lease expires and others go on from there.
pub async fn attempt(worker: Worker, claimed: Claimed, stop: impl Future<Output = ()>) {
    let (work, lease) = (&*worker.work, &claimed.lease);
    let ambient = &work.engines.ambient;
    let fence = Fence::new(ambient.clone(), claimed.sent);
    let started = ambient.now();
    let mut stopping = false;
    let done = {
        let doing = fence.around(AssertUnwindSafe(tasks::run(work, lease)).catch_unwind());
        tokio::select! {
            biased;
            () = keep(work, lease, &fence) => Err(TaskError::Lost),
            () = stop => {
                stopping = true;
                Err(TaskError::Later(time::Duration::ZERO))
            }
            done = doing => match done {
                Ok(Ok(done)) => done,
                Ok(Err(_)) => Err(TaskError::Ours(Cause::Panic)),
                Err(Passed) => Err(TaskError::Lost),
            },
        }
    };
    tell(lease, &done, ambient.now().saturating_sub(started));
    let (video, kind) = (lease.video(), lease.kind().name());
    if let Err(error) = done {
        let grace = if stopping { LAST_GRACE } else { GRACE };
        let stored = tokio::select! {
            biased;
            stored = end(work, lease, error) => stored.is_ok(),
            () = ambient.sleep(grace) => false,
        };
        if !stored {
            tracing::warn!(video.id = %video, kind, "the end of a task could not be stored; its lease will expire");
        }
    }
    work.queue().task_ready().await;
    work.queue().video_changed(video).await;
}

/// Renews a lease until it is lost: the database says so, or it may have passed to another.
async fn keep(work: &Work, lease: &Lease, fence: &Fence) {
    let ambient = &work.engines.ambient;
    loop {
        ambient.sleep(RENEW.min(fence.rest())).await;
        if fence.rest().is_zero() {
            return;
        }
        let sent = ambient.now();
        let held = lease.clone();
        let renewed = work.db().run_tx("task.renew", async move |tx| task::renew(tx, &held).await);
        let renewed = tokio::select! {
            biased;
            renewed = renewed => renewed,
            () = ambient.sleep(fence.rest()) => return,
        };
        match renewed {
            Ok(()) => fence.renewed(sent),
            Err(DbError::LeaseLost) => return,
            Err(error) => tracing::warn!(%error, "cannot renew a lease"),
        }
    }
}

fn tell(lease: &Lease, done: &Result<(), TaskError>, took: Duration) {
    let took = took.as_millis();
    let (video, kind) = (lease.video(), lease.kind().name());
    match done {
        Ok(()) => tracing::info!(video.id = %video, kind, took_ms = took, "task done"),
        Err(TaskError::Theirs(f)) => {
            tracing::info!(video.id = %video, kind, code = f.code, "task refused: {}", f.detail);
        }
        Err(TaskError::Ours(cause)) => {
            tracing::error!(video.id = %video, kind, attempt = lease.attempt(), "task failed: {cause}");
        }
        Err(TaskError::Lost) => {
            tracing::info!(video.id = %video, kind, "task ended with its lease: its video ended, or another worker has it");
        }
        Err(TaskError::Later(wait)) => {
            tracing::debug!(video.id = %video, kind, wait_s = wait.whole_seconds(), "task put off");
        }
    }
}
