//! The worker's loop: which tasks it takes, how it keeps their leases, and what it does when one
//! ends. No task is ever done here.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use rand::Rng as _;
use reelpin_schema::db::DbError;
use reelpin_schema::failure::Failure;
use reelpin_schema::pin;
use reelpin_schema::queue::Heard;
use reelpin_schema::task::{self, Ended, Kind, LEASE, Lease, State};
use reelpin_schema::video::{self, StepError};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::confine::{Launcher, Toolbox, WorkRoot};
use crate::error::{Cause, TaskError};
use crate::original::Originals;
use crate::tasks;
use crate::work::{Collaborators, RunError, Work};

/// What may run beside what: one encode uses every core, the rest are small or wait for others.
const LANES: &[Lane] = &[
    Lane { kinds: &[Kind::Encode], at_once: 1 },
    Lane { kinds: &[Kind::Probe, Kind::Audio, Kind::Poster, Kind::Package], at_once: 2 },
    Lane { kinds: &[Kind::Pin, Kind::Delete], at_once: 1 },
];

/// An idle worker looks for work this often, so that a lost hint costs a second.
const LOOK: Duration = Duration::from_secs(1);

/// How often a lease is renewed: three times in its life.
const RENEW: Duration = Duration::from_secs(10);

/// Expired leases taken in one transaction.
const SWEEP: i64 = 50;

/// How long a worker waits for the database to take the end of a task.
const GRACE: Duration = Duration::from_secs(30);

/// The same when it is stopping.
const LAST_GRACE: Duration = Duration::from_secs(5);

/// The first wait before a failed task is tried again; doubled by each attempt, at most
/// [`BACKOFF_AT_MOST`].
const BACKOFF: time::Duration = time::Duration::seconds(2);

/// The longest wait between two attempts.
const BACKOFF_AT_MOST: time::Duration = time::Duration::minutes(15);

/// How long a task waits for an engine that is away, at most.
const AWAY: time::Duration = time::Duration::seconds(20);

struct Lane {
    kinds: &'static [Kind],
    at_once: usize,
}

/// Works until `stop` is cancelled; then gives its tasks back, so that another start goes on at
/// once.
///
/// # Errors
/// [`RunError`] when ffmpeg is missing or the kernel cannot confine it; nothing was started then.
pub async fn run(
    engines: Collaborators,
    toolbox: Toolbox,
    work_root: PathBuf,
    name: String,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let launcher = Launcher::start(toolbox)?;
    for gap in launcher.gaps() {
        tracing::warn!("{gap}");
    }
    let folders = WorkRoot::open(&work_root)?;
    let work = Arc::new(Work { engines, launcher, folders, originals: Originals::default() });
    let mut worker = Worker { work, name, running: JoinSet::new(), busy: vec![0; LANES.len()] };
    worker.serve(&stop).await;
    while let Some(ended) = worker.running.join_next().await {
        worker.ended(ended);
    }
    Ok(())
}

impl Lane {
    /// Pins, and deletions that have to let go of pins, are for workers that have a node.
    fn kinds_for(&self, work: &Work) -> Vec<Kind> {
        let able = |kind: &Kind| *kind != Kind::Pin || work.engines.node.is_some();
        self.kinds.iter().copied().filter(able).collect()
    }
}

struct Worker {
    work: Arc<Work>,
    name: String,
    /// Each gives its lane back.
    running: JoinSet<usize>,
    busy: Vec<usize>,
}

impl Worker {
    async fn serve(&mut self, stop: &CancellationToken) {
        let mut hints = self.work.queue().task_hints();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                // Dropped half-way, at worst a claim's lease expires.
                () = self.look(stop) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                Some(ended) = self.running.join_next() => self.ended(ended),
                heard = hints.next(), if self.has_room() => {
                    if heard == Heard::Closed {
                        sleep(LOOK).await;
                    }
                }
                () = sleep(LOOK) => {}
            }
        }
    }

    async fn look(&mut self, stop: &CancellationToken) {
        self.work.originals.tidy();
        sweep(Arc::clone(&self.work)).await;
        self.fill(stop).await;
    }

    fn has_room(&self) -> bool {
        LANES.iter().zip(&self.busy).any(|(lane, busy)| *busy < lane.at_once)
    }

    fn ended(&mut self, ended: Result<usize, tokio::task::JoinError>) {
        match ended {
            Ok(lane) => self.busy[lane] -= 1,
            // Panics are caught within, so this is the runtime going down.
            Err(error) => tracing::error!(%error, "a task's future was aborted"),
        }
    }

    async fn fill(&mut self, stop: &CancellationToken) {
        for (number, lane) in LANES.iter().enumerate() {
            let kinds = lane.kinds_for(&self.work);
            while !kinds.is_empty() && self.busy[number] < lane.at_once && !stop.is_cancelled() {
                let sent = Instant::now();
                let claimed = claim(Arc::clone(&self.work), self.name.clone(), kinds.clone()).await;
                let Some(lease) = claimed else { break };
                self.busy[number] += 1;
                let (work, stop) = (Arc::clone(&self.work), stop.child_token());
                self.running.spawn(async move {
                    let driven = AssertUnwindSafe(drive(&work, &lease, sent, &stop));
                    if driven.catch_unwind().await.is_err() {
                        tracing::error!(
                            "storing the end of a task panicked; its lease will expire"
                        );
                    }
                    number
                });
            }
        }
    }
}

async fn claim(work: Arc<Work>, name: String, kinds: Vec<Kind>) -> Option<Lease> {
    let token = Uuid::new_v4();
    let claimed = work
        .db()
        .run_tx("task.claim", async move |tx| task::claim(tx, token, &name, &kinds).await)
        .await;
    claimed.unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot claim");
        None
    })
}

/// Takes tasks from workers that are gone.
async fn sweep(work: Arc<Work>) {
    let swept = work
        .db()
        .run_tx("task.sweep", async move |tx| {
            let ended = task::sweep(tx, SWEEP).await?;
            for task in &ended {
                bury(tx, task).await?;
            }
            Ok::<_, StepError>(ended)
        })
        .await;
    match swept {
        Ok(ended) => {
            for task in ended {
                let kind = task.kind.name();
                tracing::info!(video.id = %task.video, kind, "took back a task whose lease expired");
                work.queue().video_changed(task.video).await;
            }
        }
        Err(error) => tracing::warn!(%error, "cannot sweep"),
    }
}

/// Does a task beside the renewal of its lease, and stores how it ended.
async fn drive(work: &Work, lease: &Lease, claimed: Instant, stop: &CancellationToken) {
    let started = Instant::now();
    let done = tokio::select! {
        done = AssertUnwindSafe(tasks::run(work, lease)).catch_unwind() => {
            done.unwrap_or(Err(TaskError::Ours(Cause::Panic)))
        }
        () = keep(work, lease, claimed) => Err(TaskError::Lost),
        () = stop.cancelled() => Err(TaskError::Later(time::Duration::ZERO)),
    };
    let took = started.elapsed().as_millis();
    let (video, kind) = (lease.video(), lease.kind().name());
    match &done {
        Ok(()) => tracing::info!(video.id = %video, kind, took_ms = took, "task done"),
        Err(TaskError::Theirs(f)) => {
            tracing::info!(video.id = %video, kind, code = f.code, "task refused: {}", f.detail);
        }
        Err(TaskError::Ours(cause)) => {
            tracing::error!(video.id = %video, kind, attempt = lease.attempt(), "task failed: {cause}");
        }
        Err(TaskError::Lost) => {
            tracing::info!(video.id = %video, kind, "task ended with its lease: its video ended, or another worker has it")
        }
        Err(TaskError::Later(wait)) => {
            tracing::debug!(video.id = %video, kind, wait_s = wait.whole_seconds(), "task put off");
        }
    }
    if let Err(error) = done {
        let grace = if stop.is_cancelled() { LAST_GRACE } else { GRACE };
        let stored = tokio::time::timeout(grace, end(work, lease, error)).await;
        if !matches!(stored, Ok(Ok(()))) {
            tracing::warn!(video.id = %video, kind, "the end of a task could not be stored; its lease will expire");
        }
    }
    work.queue().task_ready().await;
    work.queue().video_changed(video).await;
}

/// Renews a lease until it is lost: the database says so, or no renewal succeeded for as long as a
/// lease lasts since the last one that did was sent, by this process's own clock.
async fn keep(work: &Work, lease: &Lease, claimed: Instant) {
    let mut good = claimed;
    loop {
        sleep(RENEW).await;
        let sent = Instant::now();
        let held = lease.clone();
        let renewed = work.db().run_tx("task.renew", async move |tx| task::renew(tx, &held).await);
        match timeout_at(good + LEASE, renewed).await {
            Ok(Ok(())) => good = sent,
            Ok(Err(DbError::LeaseLost)) | Err(_) => return,
            Ok(Err(error)) => tracing::warn!(%error, "cannot renew a lease"),
        }
        if good.elapsed() >= LEASE {
            return;
        }
    }
}

/// Stores how a task ended without success.
async fn end(work: &Work, lease: &Lease, error: TaskError) -> Result<(), StepError> {
    let held = lease.clone();
    match error {
        TaskError::Lost => Ok(()),
        TaskError::Later(wait) => Ok(work
            .db()
            .run_tx("task.defer", async move |tx| task::defer(tx, &held, wait).await)
            .await?),
        TaskError::Theirs(failure) => {
            work.db()
                .run_tx("task.refuse", async move |tx| {
                    task::refuse(tx, &held, &failure).await?;
                    if held.kind().fails_video() {
                        video::fail(tx, held.video(), &failure).await?;
                    }
                    Ok(())
                })
                .await
        }
        TaskError::Ours(cause) if cause.is_away() => {
            let wait = AWAY * rand::rng().random_range(0.5..=1.0);
            Ok(work
                .db()
                .run_tx("task.await_engine", async move |tx| task::defer(tx, &held, wait).await)
                .await?)
        }
        TaskError::Ours(cause) => {
            let (wait, cause) = (backoff(lease.failures() + 1), cause.to_string());
            work.db()
                .run_tx("task.give_back", async move |tx| {
                    let ended = task::give_back(tx, &held, wait, &cause).await?;
                    bury(tx, &ended).await
                })
                .await
        }
    }
}

/// What a dead-lettered task means for its video.
async fn bury(tx: &reelpin_schema::db::Tx, ended: &Ended) -> Result<(), StepError> {
    if ended.state != State::Dead {
        return Ok(());
    }
    if ended.kind.fails_video() {
        video::fail(tx, ended.video, &Failure::internal()).await?;
    }
    if ended.kind == Kind::Pin {
        for pin in pin::of_video(tx, ended.video).await? {
            if pin.role.place() == ended.place {
                pin::set_state(tx, ended.video, pin.role, pin::State::Failed).await?;
            }
        }
    }
    Ok(())
}

/// Exponential with jitter: between half and all of the step.
fn backoff(attempt: i64) -> time::Duration {
    let doublings = u32::try_from(attempt.clamp(1, 20) - 1).unwrap_or(0);
    let step = (BACKOFF * 2_i32.pow(doublings.min(10))).min(BACKOFF_AT_MOST);
    step * rand::rng().random_range(0.5..=1.0)
}
