//! Storing how an attempt ended without success.

use reelpin_schema::db::Tx;
use reelpin_schema::failure::Failure;
use reelpin_schema::pin;
use reelpin_schema::task::{self, Ended, Lease, State};
use reelpin_schema::video::{self, StepError};

use crate::error::{Cause, TaskError};
use crate::work::Work;

/// The first wait before a failed task is tried again; doubled by each attempt, at most
/// [`BACKOFF_AT_MOST`].
const BACKOFF: time::Duration = time::Duration::seconds(2);

/// The longest wait between two attempts.
const BACKOFF_AT_MOST: time::Duration = time::Duration::minutes(15);

/// How long a task waits for an engine that is away, at most.
const AWAY: time::Duration = time::Duration::seconds(20);

/// Stores how a task ended without success.
pub(super) async fn end(work: &Work, lease: &Lease, error: TaskError) -> Result<(), StepError> {
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
                    if let Some(pin) =
                        pin::of_task(tx, held.video(), held.kind(), held.place()).await?
                    {
                        pin::note(tx, held.video(), held.kind(), held.place(), &failure.detail)
                            .await?;
                        pin::set_state(tx, held.video(), &pin, pin::State::Failed).await?;
                    }
                    if held.kind().fails_video() {
                        video::fail(tx, held.video(), &failure).await?;
                    }
                    Ok(())
                })
                .await
        }
        TaskError::Ours(cause) if cause.is_away() => {
            let wait = jitter(work, AWAY);
            Ok(work
                .db()
                .run_tx("task.await_engine", async move |tx| task::defer(tx, &held, wait).await)
                .await?)
        }
        TaskError::Ours(cause) => {
            let wait = if matches!(cause, Cause::Init { .. }) {
                // Made by another ffmpeg, it may fit: others may have it at once, and who made what is stored.
                work.shunned.add(lease.video(), lease.kind(), work.engines.ambient.now());
                time::Duration::ZERO
            } else {
                jitter(work, backoff(lease.failures() + 1))
            };
            let cause = cause.to_string();
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
pub(super) async fn bury(tx: &Tx, ended: &Ended) -> Result<(), StepError> {
    if ended.state != State::Dead {
        return Ok(());
    }
    if ended.kind.fails_video() {
        video::fail(tx, ended.video, &Failure::internal()).await?;
    }
    if let Some(pin) = pin::of_task(tx, ended.video, ended.kind, ended.place).await? {
        pin::set_state(tx, ended.video, &pin, pin::State::Failed).await?;
    }
    Ok(())
}

/// Exponential: doubled by each attempt.
fn backoff(attempt: i64) -> time::Duration {
    let doublings = u32::try_from(attempt.clamp(1, 20) - 1).unwrap_or(0);
    (BACKOFF * 2_i32.pow(doublings.min(10))).min(BACKOFF_AT_MOST)
}

/// Between half and all of a wait.
fn jitter(work: &Work, wait: time::Duration) -> time::Duration {
    wait * (0.5 + work.engines.ambient.fraction() / 2.0)
}
