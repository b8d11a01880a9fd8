//! A running child in its holder's hands.

use std::sync::Arc;

use rustix::process::Pid;
use tokio::{net::unix::pipe, sync::oneshot};

use super::{
    ConfineError, Report,
    slot::{Cause, Slot},
};

/// A running program. Dropping it kills the whole process group; the launcher reaps it.
#[derive(Debug)]
pub struct Child {
    id: Pid,
    pipes: Vec<Option<pipe::Receiver>>,
    guard: Guard,
    ended: oneshot::Receiver<Result<Report, ConfineError>>,
}

impl Child {
    pub(super) fn new(started: Started, pipes: Vec<pipe::Receiver>) -> Self {
        let Started { id, guard, ended } = started;
        Self { id, pipes: pipes.into_iter().map(Some).collect(), guard, ended }
    }

    /// Its process id, which is also that of its process group; for logs.
    pub fn id(&self) -> i32 {
        self.id.as_raw_nonzero().get()
    }

    /// The reading end of output pipe `index`, from 0 (descriptor 3 there); `None` when taken or
    /// never asked for. Whoever stops reading stops the child, once the pipe (up to 1 MiB) is full.
    pub fn take_pipe(&mut self, index: usize) -> Option<pipe::Receiver> {
        self.pipes.get_mut(index)?.take()
    }

    /// A handle that can kill it while someone else waits.
    pub fn killer(&self) -> Killer {
        Killer(Arc::clone(&self.guard.0))
    }

    /// Kills the whole process group; [`wait`](Self::wait) then tells `Cancelled`, unless it had
    /// ended by itself before.
    pub fn kill(&self) {
        self.guard.0.kill(Cause::Asked);
    }

    /// Waits until it ended; dropping the future kills it. Pipes that nobody took are closed first,
    /// since nobody could read them. Bounded by the job's wall-clock limit.
    ///
    /// # Errors
    /// Every end but exit code 0, with the facts in [`ConfineError::report`].
    pub async fn wait(self) -> Result<Report, ConfineError> {
        let Self { pipes, guard, ended, .. } = self;
        drop(pipes);
        let report = ended.await.unwrap_or(Err(ConfineError::Gone));
        drop(guard);
        report
    }
}

/// Kills a child from elsewhere; holding it keeps nothing alive.
#[derive(Debug, Clone)]
pub struct Killer(Arc<Slot>);

impl Killer {
    /// As [`Child::kill`]; nothing once it ended.
    pub fn kill(&self) {
        self.0.kill(Cause::Asked);
    }
}

/// What the launcher's thread hands over; dropping it on the way kills the child as well.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) id: Pid,
    pub(super) guard: Guard,
    pub(super) ended: oneshot::Receiver<Result<Report, ConfineError>>,
}

/// Kills when dropped.
#[derive(Debug)]
pub(super) struct Guard(pub(super) Arc<Slot>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.kill(Cause::Asked);
    }
}
