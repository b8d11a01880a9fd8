//! What the caller asks for: a program, its files and its limits.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Most output pipes of one job: a ladder of rungs, progress, and room.
pub const MAX_PIPES: usize = 16;

/// Which of the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `ffmpeg`.
    Ffmpeg,
    /// `ffprobe`.
    Ffprobe,
}

impl Program {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ffmpeg => "ffmpeg",
            Self::Ffprobe => "ffprobe",
        }
    }
}

/// One run of a program.
#[derive(Debug, Clone)]
pub struct Job<'a> {
    /// Which program.
    pub program: Program,
    /// Its arguments, without the program's own name.
    pub args: &'a [String],
    /// The only folder it may write to; its working directory, `TMPDIR` and `HOME`. Must exist, and
    /// whatever folders it needs below: it cannot make any.
    pub work_dir: &'a Path,
    /// Files or folders it may read besides, such as the original. Each must exist.
    pub readable: &'a [PathBuf],
    /// Output pipes at descriptors 3, 4, ... (`pipe:3`); at most [`MAX_PIPES`].
    pub pipes: usize,
    /// Keep standard output (up to `stdout_bytes`); otherwise it goes nowhere.
    pub capture_stdout: bool,
    /// The one TCP port it may connect to, on 127.0.0.1 as the arguments say; the kernel knows
    /// ports only, not addresses. `None`: no sockets.
    pub connect_port: Option<u16>,
    /// Its bounds.
    pub limits: Limits,
}

/// Bounds of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// CPU time of all its threads, seconds; at this it is killed (`RLIMIT_CPU`).
    pub cpu_seconds: u64,
    /// Address space, bytes (`RLIMIT_AS`); beyond it allocations fail inside the program.
    pub address_space_bytes: u64,
    /// Largest file it may write, bytes (`RLIMIT_FSIZE`). Pipes do not count.
    pub file_size_bytes: u64,
    /// Open descriptors, its standard streams and pipes included (`RLIMIT_NOFILE`).
    pub open_files: u64,
    /// Processes and threads (`RLIMIT_NPROC`). The kernel counts everything of the same user, and
    /// nothing of root: set it only where the worker's user runs nothing else.
    pub processes: Option<u64>,
    /// Niceness, 0..=19.
    pub nice: u8,
    /// Wall clock, from the fork; at this it is killed, waited for or not.
    pub wall: Duration,
    /// How much of the end of standard error is kept, bytes.
    pub stderr_bytes: usize,
    /// How much of the beginning of standard output is kept, bytes.
    pub stdout_bytes: usize,
}

impl Limits {
    /// For ffprobe, which reads headers: a hostile file gets seconds, not minutes.
    ///
    /// Measured on real clips (ffprobe 5.1.9): 0.1 s, 300 MiB of address space, 30 kB of output.
    pub fn probe() -> Self {
        Self {
            cpu_seconds: 20,
            address_space_bytes: 2 * GIB,
            file_size_bytes: 0,
            open_files: 32,
            processes: None,
            nice: 0,
            wall: Duration::from_secs(60),
            stderr_bytes: 8 << 10,
            stdout_bytes: 4 << 20,
        }
    }

    /// For ffmpeg on a machine with so many `processors`, within `wall`; CPU time as much as they
    /// could give in that. What it writes goes through pipes, or to files up to `file_size_bytes`.
    ///
    /// Measured with 16 threads and three rungs (ffmpeg 5.1.9): 2.4 GiB of address space from
    /// 1080p, 2.3 from 4K, 4.0 from 8K (HEVC).
    pub fn encode(processors: usize, wall: Duration, file_size_bytes: u64) -> Self {
        let processors = processors.max(1) as u64;
        Self {
            cpu_seconds: wall.as_secs().max(1).saturating_mul(processors),
            address_space_bytes: (4 * GIB).saturating_add(processors.saturating_mul(GIB / 8)),
            file_size_bytes,
            open_files: 64,
            processes: None,
            nice: 10,
            wall,
            stderr_bytes: 16 << 10,
            stdout_bytes: 64 << 10,
        }
    }
}

const GIB: u64 = 1 << 30;
