//! Fork, what the child does to itself, and exec.
//!
//! The worker has many threads, so between fork and exec only async-signal-safe calls are made:
//! no allocation, no lock, no panic, nothing dropped.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::{AsRawFd, OwnedFd, RawFd},
};

use libc::{c_int, c_long, c_ulong};
use rustix::{
    pipe::{PipeFlags, pipe_with},
    process::{Pid, PidfdFlags, WaitOptions, pidfd_open, waitpid},
};

use super::{
    ConfineError, Step,
    image::{Image, above},
};

/// Size of what the child tells us when it fails: its step, and errno.
const NOTE: usize = 5;

/// Starts the program and returns when it runs. The calling thread is the one whose end kills it,
/// and must have all signals blocked.
pub(super) fn start(image: &Image) -> Result<(Pid, OwnedFd), ConfineError> {
    let failed = |source: io::Error| ConfineError::Spawn { step: Step::Fork, source };
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).map_err(|e| failed(e.into()))?;
    let writer = above(writer)?;
    // SAFETY: the child runs only `become_program`, which keeps to async-signal-safe calls.
    let pid = match unsafe { libc::fork() } {
        -1 => return Err(failed(io::Error::last_os_error())),
        0 => become_program(image, writer.as_raw_fd()),
        pid => pid,
    };
    drop(writer);
    let Some(pid) = Pid::from_raw(pid) else {
        return Err(failed(io::ErrorKind::Other.into()));
    };
    let pidfd = pidfd_open(pid, PidfdFlags::empty());
    // Ends when exec closed the writing end; before that the child waits for nobody.
    let mut note = Vec::with_capacity(NOTE);
    let read = File::from(reader).take(NOTE as u64).read_to_end(&mut note);
    let problem = match (pidfd, read, note.as_slice()) {
        (Ok(pidfd), Ok(0), _) => return Ok((pid, pidfd)),
        (_, Ok(_), &[step, a, b, c, d]) => ConfineError::Spawn {
            step: Step::from_number(step),
            source: io::Error::from_raw_os_error(i32::from_ne_bytes([a, b, c, d])),
        },
        (Err(e), ..) => failed(e.into()),
        (_, Err(e), _) => failed(e),
        _ => failed(io::ErrorKind::UnexpectedEof.into()),
    };
    // It is not reaped yet, so the number is still its own.
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    let _ = waitpid(Some(pid), WaitOptions::empty());
    Err(problem)
}

/// The child's side; never returns.
fn become_program(image: &Image, note: RawFd) -> ! {
    let (step, errno) = match prepare_and_exec(image) {
        Ok(never) => match never {},
        Err(failure) => failure,
    };
    let [a, b, c, d] = errno.to_ne_bytes();
    let message = [step as u8, a, b, c, d];
    // SAFETY: writes a local array to a descriptor we hold, then ends without running destructors
    // or exit handlers, which belong to the parent.
    unsafe {
        libc::write(note, message.as_ptr().cast(), message.len());
        libc::_exit(127)
    }
}

/// Turns a C return value into a failed step.
fn done(step: Step, returned: c_int) -> Result<(), (Step, c_int)> {
    if returned == -1 { Err((step, errno())) } else { Ok(()) }
}

fn done_raw(step: Step, returned: c_long) -> Result<(), (Step, c_int)> {
    if returned == -1 { Err((step, errno())) } else { Ok(()) }
}

fn errno() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Each step as its name in [`Step`] says; the order matters where a comment says so.
fn prepare_and_exec(image: &Image) -> Result<std::convert::Infallible, (Step, c_int)> {
    // SAFETY: every call is a system call or an async-signal-safe wrapper of one; every pointer is
    // to memory that `image`, made before the fork, or this frame holds.
    unsafe {
        done(Step::Session, libc::setsid())?;

        let mut target = 0;
        for ours in &image.descriptors {
            // The copy is without CLOEXEC; ours are above every target.
            done(Step::Descriptors, libc::dup2(ours.as_raw_fd(), target))?;
            target += 1;
        }
        done_raw(
            Step::Descriptors,
            libc::syscall(
                libc::SYS_close_range,
                target as libc::c_uint,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_CLOEXEC as libc::c_uint,
            ),
        )?;

        done(Step::WorkDir, libc::fchdir(image.work_dir.as_raw_fd()))?;
        libc::umask(0o077);

        for (resource, limit) in &image.rlimits {
            done(Step::ResourceLimits, libc::setrlimit(*resource, limit))?;
        }
        // Fails where the worker itself is nicer; then the child inherits that.
        libc::setpriority(libc::PRIO_PROCESS, 0, image.nice);
        if image.nice != 0 {
            yield_as_group(image.nice_text.as_bytes());
        }
        prefer_for_oom();

        // With it, exec as root gains none of the capabilities given up next.
        done(Step::Privileges, libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1 as c_ulong, 0, 0, 0))?;
        done_raw(Step::Privileges, drop_capabilities())?;

        if let Some(ruleset) = &image.ruleset {
            let fd = ruleset.as_raw_fd();
            done_raw(
                Step::Landlock,
                libc::syscall(libc::SYS_landlock_restrict_self, fd, 0 as libc::c_uint),
            )?;
        }

        // After the changes of credentials, which can reset it.
        let signal = libc::SIGKILL as c_ulong;
        done(Step::ParentDeath, libc::prctl(libc::PR_SET_PDEATHSIG, signal, 0, 0, 0))?;
        if libc::getppid() != image.parent {
            return Err((Step::Orphaned, libc::ESRCH));
        }

        // Before the filter and after the session: the worker's handlers must never run here.
        for signal in 1..=64 {
            // SIGKILL, SIGSTOP and the C library's own refuse; nothing to do about it.
            libc::signal(signal, libc::SIG_DFL);
        }
        if let Some(filter) = &image.filter {
            let header = filter.header();
            // Before Linux 5.16 a filter would otherwise switch off speculation and slow encodes
            // down; newer kernels found that to protect little and leave it on.
            let flags = libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW as libc::c_uint;
            done_raw(
                Step::Seccomp,
                libc::syscall(
                    libc::SYS_seccomp,
                    libc::SECCOMP_SET_MODE_FILTER,
                    flags,
                    &raw const header,
                ),
            )?;
        }
        let mut none = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());

        libc::execve(image.path.as_ptr(), image.argv.as_ptr(), image.env.as_ptr());
        Err((Step::Exec, errno()))
    }
}

/// Linux weighs sessions against each other first where it groups by session (`sched_autogroup`, the default of
/// most distributions), and `nice` only inside one: so the session gets the same. Measured on two cores with
/// another film being encoded: without it a second one was playable after 5.0 s instead of 1.9 s. Best effort; the kernel lets who is not root
/// do it once in 0.1 s.
///
/// # Safety
/// None beyond `prepare_and_exec`'s; only async-signal-safe calls.
unsafe fn yield_as_group(nice: &[u8]) {
    const TRIES: u32 = 5;
    let pause = libc::timespec { tv_sec: 0, tv_nsec: 30_000_000 };
    // SAFETY: a constant, terminated string; a slice that outlives the call; the descriptor is checked and closed.
    unsafe {
        let fd = libc::open(c"/proc/self/autogroup".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if fd < 0 {
            return;
        }
        for _ in 0..TRIES {
            let written = libc::write(fd, nice.as_ptr().cast(), nice.len());
            if written >= 0 || errno() != libc::EAGAIN {
                break;
            }
            libc::nanosleep(&raw const pause, std::ptr::null_mut());
        }
        libc::close(fd);
    }
}

/// When memory is short, a decoder goes first and not the worker or a database; best effort.
///
/// # Safety
/// None beyond `prepare_and_exec`'s; only async-signal-safe calls.
unsafe fn prefer_for_oom() {
    // SAFETY: constant, terminated strings; the descriptor is checked and closed.
    unsafe {
        let fd = libc::open(c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if fd >= 0 {
            libc::write(fd, c"800".as_ptr().cast(), 3);
            libc::close(fd);
        }
    }
}

/// Gives up every capability, for a worker that runs as root.
///
/// # Safety
/// None beyond `prepare_and_exec`'s; only async-signal-safe calls.
unsafe fn drop_capabilities() -> c_long {
    /// `_LINUX_CAPABILITY_VERSION_3` of linux/capability.h: two sets of 32 bits each.
    const VERSION_3: u32 = 0x2008_0522;
    let header = [VERSION_3, 0];
    let data = [0_u32; 6];
    // SAFETY: header (version, pid 0: this thread) and data have the layout of version 3, and the
    // kernel only reads the data.
    unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), data.as_ptr()) }
}
