//! A child process that dies with us. The signal that the kernel sends it then follows the *thread*
//! that started it, so that each child has a thread of its own, which waits for it to the end.
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::sync::{oneshot, watch};

use super::PostgresError;

/// A running child. Dropping it sends SIGINT and does not wait.
pub(super) struct Child {
    /// Unlike a process id, it can never come to mean another process.
    handle: OwnedFd,
    ended: watch::Receiver<Option<String>>,
}

impl Child {
    /// Starts the command in a thread of its own.
    pub(super) async fn start(mut command: Command) -> Result<Self, PostgresError> {
        let program = PathBuf::from(command.get_program());
        let failed = |source| PostgresError::Run { program, source };
        let (report, started) = oneshot::channel();
        let (ending, ended) = watch::channel(None);
        let keep = move || {
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) => {
                    let _ = report.send(Err(error));
                    return;
                }
            };
            let _ = report.send(handle_of(&child));
            let status = match child.wait() {
                Ok(status) => status.to_string(),
                Err(error) => format!("lost sight of it: {error}"),
            };
            ending.send_replace(Some(status));
        };
        if let Err(error) = std::thread::Builder::new().name("postgresql".into()).spawn(keep) {
            return Err(failed(error));
        }
        match started.await {
            Ok(Ok(handle)) => Ok(Self { handle, ended }),
            Ok(Err(error)) => Err(failed(error)),
            Err(_) => Err(failed(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Sends a signal; a child that has ended does not mind.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.handle, signal);
    }

    /// Waits for the end and tells the exit status or signal in words. Cancel-safe.
    pub(super) fn exited(&self) -> impl Future<Output = String> + Send + use<> {
        let mut ended = self.ended.clone();
        async move {
            match ended.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(status)) => status.clone(),
                _ => "its thread is gone".to_owned(),
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(Signal::INT);
    }
}

fn handle_of(child: &std::process::Child) -> io::Result<OwnedFd> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(io::ErrorKind::InvalidData)?;
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}
