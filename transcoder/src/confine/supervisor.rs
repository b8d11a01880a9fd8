//! The launcher's thread: forks, drains standard error and output, keeps time, reaps.
//!
//! It does all of it whether or not anyone waits for a child, so none can stall on a full standard
//! error, outlive its time or stay a zombie because its holder looks elsewhere.

use std::{
    os::fd::{AsRawFd, OwnedFd, RawFd},
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::process::Pid;
use tokio::sync::{mpsc, oneshot};

use super::{
    ConfineError, Limit, Limits, Report, Toolbox,
    child::{Guard, Started},
    exec,
    image::{Image, Order},
    rules::Kernel,
    slot::{Cause, Slot},
    streams::{Head, Tail},
};

/// How long a killed child may take to end before its holder is told without its figures; only a
/// process stuck in the kernel (a dead network file system) takes that long.
const STUCK: Duration = Duration::from_secs(10);

/// One job on its way to the thread.
pub(super) struct Request {
    pub(super) order: Order,
    pub(super) stdout: Option<OwnedFd>,
    pub(super) stderr: OwnedFd,
    pub(super) reply: oneshot::Sender<Result<Started, ConfineError>>,
}

/// The thread's state.
pub(super) struct Supervisor {
    toolbox: Toolbox,
    kernel: Kernel,
    requests: mpsc::Receiver<Request>,
    woken: OwnedFd,
    running: Vec<Running>,
    open: bool,
}

impl Supervisor {
    pub(super) fn new(
        toolbox: Toolbox,
        kernel: Kernel,
        requests: mpsc::Receiver<Request>,
        woken: OwnedFd,
    ) -> Self {
        Self { toolbox, kernel, requests, woken, running: Vec::new(), open: true }
    }

    /// Until the launcher is dropped and its children are gone.
    pub(super) fn run(mut self) {
        block_signals();
        while self.open || !self.running.is_empty() {
            self.wait();
            self.take_requests();
            self.running.retain_mut(|child| !child.look());
        }
    }

    /// Sleeps until a child or the launcher has something, or the next deadline.
    fn wait(&self) {
        let watch = |fd: RawFd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let mut fds: Vec<libc::pollfd> = Vec::with_capacity(1 + 3 * self.running.len());
        if self.open {
            fds.push(watch(self.woken.as_raw_fd()));
        }
        for child in &self.running {
            fds.extend(child.descriptors().map(watch));
        }
        let now = Instant::now();
        let next = self.running.iter().filter_map(|child| child.deadline).min();
        let timeout = next.map_or(-1, |at| {
            // Rounded up, so that the deadline has passed when it returns.
            let wait = at.saturating_duration_since(now).as_millis() + 1;
            libc::c_int::try_from(wait).unwrap_or(libc::c_int::MAX)
        });
        // SAFETY: the array is ours and as long as told. Whatever is returned, everything is
        // looked at afterwards without blocking.
        unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout) };
    }

    fn take_requests(&mut self) {
        // As many bytes as requests fit the queue; more only mean that one look was too many.
        let _ = rustix::io::read(&self.woken, &mut [0_u8; 64]);
        loop {
            match self.requests.try_recv() {
                Ok(request) => self.start(request),
                Err(mpsc::error::TryRecvError::Empty) => return,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.open = false;
                    return;
                }
            }
        }
    }

    fn start(&mut self, request: Request) {
        let Request { order, stdout, stderr, reply } = request;
        if reply.is_closed() {
            return; // Cancelled while it waited.
        }
        let limits = order.limits.clone();
        let started = Instant::now();
        let spawned =
            Image::new(order, &self.toolbox, self.kernel).and_then(|image| exec::start(&image));
        let (id, pidfd) = match spawned {
            Ok(spawned) => spawned,
            Err(error) => {
                let _ = reply.send(Err(error)); // Nobody left to tell is fine.
                return;
            }
        };
        let slot = Arc::new(Slot::new(id));
        let (done, ended) = oneshot::channel();
        self.running.push(Running {
            pidfd,
            slot: Arc::clone(&slot),
            stderr: Tail::new(stderr, limits.stderr_bytes),
            stdout: Head::new(stdout, limits.stdout_bytes),
            started,
            deadline: started.checked_add(limits.wall),
            expired: false,
            limits,
            done: Some(done),
        });
        // A receiver that is gone drops the guard, which kills.
        let _ = reply.send(Ok(Started { id, guard: Guard(slot), ended }));
    }
}

/// One child, as the thread sees it.
struct Running {
    pidfd: OwnedFd,
    slot: Arc<Slot>,
    stderr: Tail,
    stdout: Head,
    started: Instant,
    deadline: Option<Instant>,
    /// The wall-clock limit has passed and it was killed; `deadline` is then that of `STUCK`.
    expired: bool,
    limits: Limits,
    done: Option<oneshot::Sender<Result<Report, ConfineError>>>,
}

impl Running {
    fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        [Some(self.pidfd.as_raw_fd()), self.stderr.descriptor(), self.stdout.descriptor()]
            .into_iter()
            .flatten()
    }

    /// Does what is to be done now, without blocking; true when it is over.
    fn look(&mut self) -> bool {
        self.stderr.drain();
        self.stdout.drain();
        if let Some(((status, usage), cause)) = self.slot.reap(reap) {
            // Its group is dead; what it still wrote is in the pipes.
            self.stderr.finish();
            self.stdout.finish();
            let outcome = self.judge(status, &usage, cause);
            self.tell(outcome);
            return true;
        }
        if self.deadline.is_some_and(|at| at <= Instant::now()) {
            if self.expired {
                self.deadline = None;
                let report = Box::new(self.report(None));
                self.tell(Err(ConfineError::TimedOut { limit: self.limits.wall, report }));
            } else {
                self.slot.kill(Cause::Wall);
                self.expired = true;
                self.deadline = Instant::now().checked_add(STUCK);
            }
        }
        false
    }

    fn tell(&mut self, outcome: Result<Report, ConfineError>) {
        if let Some(done) = self.done.take() {
            let _ = done.send(outcome); // Nobody waits any longer: fine.
        }
    }

    fn judge(
        &mut self,
        status: libc::c_int,
        usage: &libc::rusage,
        cause: Option<Cause>,
    ) -> Result<Report, ConfineError> {
        let report = Box::new(self.report(Some(usage)));
        if libc::WIFEXITED(status) {
            return match libc::WEXITSTATUS(status) {
                0 => Ok(*report),
                code => Err(ConfineError::NonZero { code, report }),
            };
        }
        let signal = libc::WTERMSIG(status);
        Err(match (signal, cause) {
            (libc::SIGXFSZ, _) => ConfineError::OverLimit { limit: Limit::FileSize, report },
            (libc::SIGXCPU, _) => ConfineError::OverLimit { limit: Limit::Cpu, report },
            (libc::SIGKILL, Some(Cause::Wall)) => {
                ConfineError::TimedOut { limit: self.limits.wall, report }
            }
            (libc::SIGKILL, Some(Cause::Asked)) => ConfineError::Cancelled { report },
            // Only the kernel is left: for CPU time, or short of memory. It judges CPU time by
            // sampling at its ticks (killed for 1 s at a measured 0.89 s on a busy machine).
            (libc::SIGKILL, None)
                if report.cpu >= Duration::from_secs(self.limits.cpu_seconds) * 3 / 4 =>
            {
                ConfineError::OverLimit { limit: Limit::Cpu, report }
            }
            _ => ConfineError::Killed { signal, report },
        })
    }

    fn report(&mut self, usage: Option<&libc::rusage>) -> Report {
        let (stdout, stdout_cut) = self.stdout.take();
        Report {
            stdout,
            stdout_cut,
            stderr: self.stderr.text(),
            cpu: usage.map_or(Duration::ZERO, |u| time(u.ru_utime) + time(u.ru_stime)),
            // Linux counts it in KiB.
            max_rss_bytes: usage.map_or(0, |u| u64::try_from(u.ru_maxrss).unwrap_or(0) * 1024),
            wall: self.started.elapsed(),
        }
    }
}

/// Status and usage of an ended child; `None` while it runs.
fn reap(pid: Pid) -> Option<(libc::c_int, libc::rusage)> {
    let mut status = 0;
    // SAFETY: rusage is plain numbers; both places are ours. The pid is our unreaped child.
    let (reaped, usage) = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        let pid = pid.as_raw_nonzero().get();
        (libc::wait4(pid, &raw mut status, libc::WNOHANG, &raw mut usage), usage)
    };
    (reaped > 0).then_some((status, usage))
}

fn time(at: libc::timeval) -> Duration {
    let seconds = u64::try_from(at.tv_sec).unwrap_or(0);
    let micros = u64::try_from(at.tv_usec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}

/// A signal for the process goes to another thread, and a child starts with all blocked: none of
/// the worker's handlers can run in it.
fn block_signals() {
    // SAFETY: the set is ours, and this changes only the calling thread.
    unsafe {
        let mut all = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
    }
}
