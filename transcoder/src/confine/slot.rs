//! A child's process id for as long as it is ours to signal.
//!
//! Killing and reaping take the same lock: a number that was reaped may belong to a stranger.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// Who asked for a child's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The holder, or nobody holds it any longer.
    Asked,
    /// Its wall-clock limit.
    Wall,
}

#[derive(Debug)]
struct State {
    /// `None` once reaped.
    pid: Option<Pid>,
    cause: Option<Cause>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Slot(Mutex<State>);

impl Slot {
    pub(super) fn new(pid: Pid) -> Self {
        Self(Mutex::new(State { pid: Some(pid), cause: None }))
    }

    /// SIGKILL to the whole process group; nothing if it is reaped already. The first cause stays.
    pub(super) fn kill(&self, cause: Cause) {
        let mut state = self.lock();
        if let Some(pid) = state.pid {
            state.cause.get_or_insert(cause);
            // Fails only when nothing of the group is left to signal.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }

    /// Reaps the child if it ended, by `reap`, after killing what is left of its group: until it
    /// is reaped, its number, and so its group's, cannot be given to anyone else.
    pub(super) fn reap<T>(
        &self,
        reap: impl FnOnce(Pid) -> Option<T>,
    ) -> Option<(T, Option<Cause>)> {
        let mut state = self.lock();
        let pid = state.pid?;
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(pid), look).ok()??;
        let _ = kill_process_group(pid, Signal::KILL);
        let reaped = reap(pid)?;
        state.pid = None;
        Some((reaped, state.cause))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked cannot have left the two fields half-written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
