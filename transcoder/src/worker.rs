//! The worker as a process: which steps it takes when. No task is ever done here.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use reelpin_plan::Options;
use reelpin_schema::queue::{Heard, Hints, TaskHint};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::confine::Toolbox;
use crate::encoder::Ffmpeg;
use crate::steps::{self, LANES};
use crate::work::{Collaborators, RunError};

/// A worker looks for tasks this often, so that a lost hint costs a second; and for expired leases.
const LOOK: Duration = Duration::from_secs(1);

/// The longest pause between two looks of a worker that has found nothing for a while.
const IDLE: Duration = Duration::from_secs(4);

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
    let encoder = Arc::new(Ffmpeg::start(toolbox, &work_root)?);
    let steps = steps::Worker::new(engines, encoder.clone(), Options::default(), name);
    let busy = vec![0; LANES.len()];
    let mut process = Process { steps, running: JoinSet::new(), busy };
    process.serve(&stop).await;
    while let Some(ended) = process.running.join_next().await {
        process.ended(ended);
    }
    encoder.close().await;
    Ok(())
}

struct Process {
    steps: steps::Worker,
    /// Each gives its lane back.
    running: JoinSet<usize>,
    busy: Vec<usize>,
}

impl Process {
    async fn serve(&mut self, stop: &CancellationToken) {
        // A worker without room listens to no hints, so that they go to others.
        let mut hints: Option<Hints<TaskHint>> = None;
        let mut hinted = true;
        let mut pause = LOOK;
        loop {
            let found = tokio::select! {
                () = stop.cancelled() => return,
                // Dropped half-way, at worst a claim's lease expires.
                found = self.look(stop, hinted) => found,
            };
            pause = if found || hinted { LOOK } else { (pause * 2).min(IDLE) };
            if self.has_room() {
                hints.get_or_insert_with(|| self.steps.work.queue().task_hints());
            } else {
                hints = None;
            }
            hinted = tokio::select! {
                () = stop.cancelled() => return,
                Some(ended) = self.running.join_next() => {
                    self.ended(ended);
                    true
                }
                heard = heard(&mut hints) => {
                    if heard == Heard::Closed {
                        sleep(LOOK).await;
                    }
                    true
                }
                () = sleep(pause) => false,
            };
        }
    }

    /// Whether there was anything.
    async fn look(&mut self, stop: &CancellationToken, hinted: bool) -> bool {
        self.steps.work.encoder.tidy();
        let swept = steps::sweep(self.steps.clone()).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot sweep");
            0
        });
        let claimed = self.steps.looks(hinted) && self.fill(stop).await;
        swept > 0 || claimed
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

    async fn fill(&mut self, stop: &CancellationToken) -> bool {
        let mut any = false;
        for (number, lane) in LANES.iter().enumerate() {
            while self.busy[number] < lane.at_once && !stop.is_cancelled() {
                let claimed = match steps::claim(self.steps.clone(), lane).await {
                    Ok(Some(claimed)) => claimed,
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(%error, "cannot claim");
                        break;
                    }
                };
                any = true;
                self.busy[number] += 1;
                let (steps, stop) = (self.steps.clone(), stop.child_token());
                self.running.spawn(async move {
                    let attempt = steps::attempt(steps, claimed, stop.cancelled());
                    if AssertUnwindSafe(attempt).catch_unwind().await.is_err() {
                        tracing::error!(
                            "storing the end of a task panicked; its lease will expire"
                        );
                    }
                    number
                });
            }
        }
        any
    }
}

/// The next hint; never, when nobody listens.
async fn heard(hints: &mut Option<Hints<TaskHint>>) -> Heard<TaskHint> {
    match hints {
        Some(hints) => hints.next().await,
        None => std::future::pending().await,
    }
}
