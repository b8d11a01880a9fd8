//! The handle to the one thread that spawns all children.

use std::{ffi::CString, io, os::fd::OwnedFd, sync::Arc};

use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use tokio::{
    net::unix::pipe,
    sync::{mpsc, oneshot},
};

use super::{
    Child, ConfineError, Job, MAX_PIPES, Step, Toolbox,
    image::{Order, nonblocking},
    rules::Kernel,
    supervisor::{Request, Supervisor},
};

/// Requests that wait for the thread; it takes each within milliseconds, and callers wait beyond.
const QUEUE: usize = 16;

/// Linux's default bound for unprivileged pipes (fs.pipe-max-size): about 1.6 s of a 5 Mbit/s rung,
/// so that an encoder seldom waits while a segment is hashed.
const PIPE_BYTES: usize = 1 << 20;

/// Spawns confined children, all from one thread: the kernel kills a child when the *thread* that
/// forked it ends, and threads of a runtime's pool come and go. That thread lives until the last
/// clone of this is dropped and its children are gone.
#[derive(Debug, Clone)]
pub struct Launcher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kernel: Kernel,
    requests: mpsc::Sender<Request>,
    /// Wakes the thread, by a byte or by being dropped; dropped after `requests`.
    wake: OwnedFd,
}

impl Launcher {
    /// Looks at what the kernel can do and starts the thread.
    ///
    /// # Errors
    /// [`ConfineError::Kernel`] before Linux 5.11; [`ConfineError::Thread`].
    pub fn start(toolbox: Toolbox) -> Result<Self, ConfineError> {
        let kernel = Kernel::probe()?;
        let (woken, wake) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)
            .map_err(|e| ConfineError::Thread(e.into()))?;
        let (requests, receiver) = mpsc::channel(QUEUE);
        let supervisor = Supervisor::new(toolbox, kernel, receiver, woken);
        // Not joined: it ends by itself, and with it whatever child is left.
        std::thread::Builder::new()
            .name("reelpin-launch".to_owned())
            .spawn(move || supervisor.run())
            .map_err(ConfineError::Thread)?;
        Ok(Self(Arc::new(Inner { kernel, requests, wake })))
    }

    /// What this kernel leaves open, a sentence each; to be said once at start.
    pub fn gaps(&self) -> Vec<String> {
        self.0.kernel.gaps()
    }

    /// Starts a job and returns when its program runs. Cancelled at any point, it leaves nothing.
    ///
    /// # Errors
    /// Those of [`ConfineError`] without a report.
    pub async fn spawn(&self, job: Job<'_>) -> Result<Child, ConfineError> {
        if job.pipes > MAX_PIPES {
            return Err(ConfineError::TooManyPipes { asked: job.pipes, max: MAX_PIPES });
        }
        let argv = std::iter::once(job.program.name())
            .chain(job.args.iter().map(String::as_str))
            .enumerate()
            .map(|(index, arg)| CString::new(arg).map_err(|_| ConfineError::Argument { index }))
            .collect::<Result<_, _>>()?;
        let failed = |source| ConfineError::Spawn { step: Step::Fork, source };

        let mut readers = Vec::with_capacity(job.pipes);
        let mut writers = Vec::with_capacity(job.pipes);
        for _ in 0..job.pipes {
            let (reader, writer) = output_pipe().map_err(failed)?;
            // Best effort: refused when this user's pipes hold too much already.
            let _ = fcntl_setpipe_size(&writer, PIPE_BYTES);
            readers.push(pipe::Receiver::from_owned_fd(reader).map_err(failed)?);
            writers.push(writer);
        }
        let (stderr_reader, stderr) = output_pipe().map_err(failed)?;
        let (stdout_reader, stdout) = if job.capture_stdout {
            let (reader, writer) = output_pipe().map_err(failed)?;
            (Some(reader), Some(writer))
        } else {
            (None, None)
        };

        let (reply, answer) = oneshot::channel();
        let request = Request {
            order: Order {
                program: job.program,
                argv,
                work_dir: job.work_dir.to_owned(),
                readable: job.readable.to_owned(),
                connect_port: job.connect_port,
                limits: job.limits,
                stdout,
                stderr,
                pipes: writers,
            },
            stdout: stdout_reader,
            stderr: stderr_reader,
            reply,
        };
        self.0.requests.send(request).await.map_err(|_| ConfineError::Gone)?;
        // A full pipe means that the thread is being woken already.
        let _ = rustix::io::write(&self.0.wake, &[0]);
        let started = answer.await.map_err(|_| ConfineError::Gone)??;
        Ok(Child::new(started, readers))
    }
}

/// Reading end (ours, non-blocking) and writing end (the child's, blocking).
fn output_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    nonblocking(&reader)?;
    Ok((reader, writer))
}
