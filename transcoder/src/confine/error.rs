//! How starting or running a child can fail, with the facts of each case.
//!
//! Whether it is the video's fault or ours is for the caller to say: it knows what was run.

use std::{io, path::PathBuf, time::Duration};

/// Why a child did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// The program is nowhere on the search path; ours, until it is installed.
    #[error("{program} was not found in {searched:?}: install ffmpeg (Debian: apt install ffmpeg)")]
    NotFound {
        /// `ffmpeg` or `ffprobe`.
        program: &'static str,
        /// The search path as given.
        searched: PathBuf,
    },
    /// The kernel lacks something without which nothing is run at all.
    #[error("this kernel cannot {what}; Linux 5.11 or newer is needed")]
    Kernel {
        /// What is missing.
        what: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The launcher's thread could not be started.
    #[error("cannot start the launcher's thread")]
    Thread(#[source] io::Error),
    /// The launcher's thread has ended, and took its children with it.
    #[error("the launcher has ended")]
    Gone,
    /// A path that the child was to have cannot be opened.
    #[error("cannot open {path:?} for a confined program")]
    Path {
        /// The work folder, a readable path or the program.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// An argument or a path holds a NUL byte.
    #[error("argument {index} holds a NUL byte")]
    Argument {
        /// Place in argv; 0 is the program.
        index: usize,
    },
    /// More output pipes than [`MAX_PIPES`](super::MAX_PIPES).
    #[error("{asked} output pipes asked for, {max} are possible")]
    TooManyPipes {
        /// What the job asked for.
        asked: usize,
        /// The bound.
        max: usize,
    },
    /// The file and network rules could not be made.
    #[error("cannot make the landlock rules")]
    Rules(#[from] landlock::RulesetError),
    /// The child could not be started; nothing of the program ran.
    #[error("cannot start the program: {step} failed")]
    Spawn {
        /// Where it stopped.
        step: Step,
        /// The system's answer.
        source: io::Error,
    },
    /// It ran longer than its wall-clock limit and was killed.
    #[error("killed after {limit:?} of wall-clock time")]
    TimedOut {
        /// The limit.
        limit: Duration,
        /// What is known of the run.
        report: Box<Report>,
    },
    /// It ran into another limit and the kernel ended it.
    #[error("ended by its limit of {limit}")]
    OverLimit {
        /// Which limit.
        limit: Limit,
        /// What is known of the run.
        report: Box<Report>,
    },
    /// [`Child::kill`](super::Child::kill) or a [`Killer`](super::Killer) ended it.
    #[error("killed on request")]
    Cancelled {
        /// What is known of the run.
        report: Box<Report>,
    },
    /// A signal that nobody here sent: a crash (11, 6, 4, 8), or the kernel short of memory (9).
    #[error("ended by signal {signal}")]
    Killed {
        /// The signal's number.
        signal: i32,
        /// What is known of the run.
        report: Box<Report>,
    },
    /// It ended by itself with a code other than 0. A refused allocation (address space) may end
    /// here or as a crash, since the kernel tells only the program; ffmpeg 5.1 even returns 0 when
    /// its input ran out of memory, so delivered frames are to be counted whatever is told here.
    #[error("ended with exit code {code}")]
    NonZero {
        /// 1..=255.
        code: i32,
        /// What is known of the run.
        report: Box<Report>,
    },
}

impl ConfineError {
    /// The facts of a run that started; `None` when none did.
    pub fn report(&self) -> Option<&Report> {
        match self {
            Self::TimedOut { report, .. }
            | Self::OverLimit { report, .. }
            | Self::Cancelled { report }
            | Self::Killed { report, .. }
            | Self::NonZero { report, .. } => Some(report),
            Self::NotFound { .. }
            | Self::Kernel { .. }
            | Self::Thread(_)
            | Self::Gone
            | Self::Path { .. }
            | Self::Argument { .. }
            | Self::TooManyPipes { .. }
            | Self::Rules(_)
            | Self::Spawn { .. } => None,
        }
    }
}

/// What is known of a child that ran, however it ended.
#[derive(Debug, Default, Clone)]
pub struct Report {
    /// The first `stdout_bytes` of standard output; empty unless the job captures it.
    pub stdout: Vec<u8>,
    /// More standard output came than was kept.
    pub stdout_cut: bool,
    /// The last `stderr_bytes` of standard error. The original's author can write into it, so
    /// control characters other than line feeds are replaced.
    pub stderr: String,
    /// CPU time, user and system, of the child and of what it waited for.
    pub cpu: Duration,
    /// Largest resident size, bytes. At least the worker's own size at the fork, since the kernel
    /// counts that copy too.
    pub max_rss_bytes: u64,
    /// From the fork to the end, wall clock.
    pub wall: Duration,
}

/// A limit that the kernel enforces by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// CPU time.
    Cpu,
    /// Size of one written file.
    FileSize,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Cpu => "CPU time",
            Self::FileSize => "file size",
        })
    }
}

/// What the child did between fork and exec, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// Making pipes or the process itself.
    Fork,
    /// A session and process group of its own.
    Session,
    /// Placing the standard streams and pipes, closing the rest.
    Descriptors,
    /// Entering the work folder.
    WorkDir,
    /// Resource limits.
    ResourceLimits,
    /// Giving up privileges.
    Privileges,
    /// Landlock.
    Landlock,
    /// Asking to die with the worker.
    ParentDeath,
    /// The worker died meanwhile.
    Orphaned,
    /// Seccomp.
    Seccomp,
    /// Executing the program.
    Exec,
}

impl Step {
    /// All of them, by number.
    const ALL: [Self; 11] = [
        Self::Fork,
        Self::Session,
        Self::Descriptors,
        Self::WorkDir,
        Self::ResourceLimits,
        Self::Privileges,
        Self::Landlock,
        Self::ParentDeath,
        Self::Orphaned,
        Self::Seccomp,
        Self::Exec,
    ];

    pub(super) fn from_number(number: u8) -> Self {
        Self::ALL.into_iter().find(|step| *step as u8 == number).unwrap_or(Self::Fork)
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Fork => "forking",
            Self::Session => "making its session",
            Self::Descriptors => "placing its file descriptors",
            Self::WorkDir => "entering its work folder",
            Self::ResourceLimits => "setting its limits",
            Self::Privileges => "giving up privileges",
            Self::Landlock => "applying landlock",
            Self::ParentDeath => "tying it to the worker",
            Self::Orphaned => "being the worker's child",
            Self::Seccomp => "applying seccomp",
            Self::Exec => "executing",
        })
    }
}
