//! Running ffmpeg and ffprobe: the plan's arguments under this worker's limits, and what their end
//! means.

use std::path::Path;
use std::time::Duration;

use reelpin_plan::argv::{Argv, Program as Planned};

use reelpin_schema::failure::Failure;

use super::Ffmpeg;
use super::pipe::{self, Read};
use super::source::Lent;
use crate::confine::{Child, ConfineError, Job, Limits, Program, Report};
use crate::error::{Cause, TaskError};

/// The descriptor of the first output pipe in the child.
pub(super) const FIRST_PIPE: u32 = 3;

/// The longest that one run may take: 12 h of 4K on two slow cores, and some.
const LONGEST: Duration = Duration::from_secs(3 * 24 * 3600);

/// The largest file a run may write: a poster. All else goes through pipes.
const LARGEST: u64 = 64 << 20;

/// The longest that a still picture may take: a key frame is seldom further than 10 s of decoding.
const BRIEF: Duration = Duration::from_secs(180);

/// A program that has written nothing for this long has hung. The slowest real case, 2 s of 8K on a
/// busy core, takes about a minute.
pub(super) const SILENCE: Duration = Duration::from_secs(600);

/// ffmpeg's exit code when more than two thirds of what it decoded were errors (`-max_error_rate`).
const TOO_MANY_ERRORS: i32 = 69;

/// How much in a hurry a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Someone waits for it: it goes before what other videos do.
    Urgent,
    /// Whenever there is time.
    Patient,
}

/// Bounds of a long run.
fn encode() -> Limits {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Limits::encode(processors, LONGEST, LARGEST)
}

/// Bounds of a look: ffprobe on headers, or on every packet for the frame index. That reads the
/// whole file (1.4 GB in 1.2-1.8 CPU seconds) and tells some 60 MB of 12 h at 60 fps.
fn look_limits() -> Limits {
    Limits {
        cpu_seconds: 300,
        wall: Duration::from_secs(900),
        stdout_bytes: 128 << 20,
        ..Limits::probe()
    }
}

/// A path as ffmpeg's argument. Ours are always UTF-8.
pub(super) fn text(path: &Path) -> Result<String, TaskError> {
    Ok(path.to_str().ok_or(Cause::Row("the work folder's path is not UTF-8"))?.to_owned())
}

/// An error when the original could not be read to where the program wanted: what it made of the
/// rest, whatever its exit code, is nothing.
pub(super) fn read_well(original: &Lent) -> Result<(), TaskError> {
    original.failure().map_or(Ok(()), |cause| Err(cause.into()))
}

/// Starts a long run that reads an original and writes to pipes.
pub(super) async fn start(
    ffmpeg: &Ffmpeg,
    argv: &Argv,
    folder: &Path,
    original: &Lent,
    pipes: usize,
    pace: Pace,
) -> Result<Child, TaskError> {
    let mut limits = encode();
    if pace == Pace::Urgent {
        limits.nice = 0;
    }
    let job = Job { pipes, ..job(argv, folder, original, limits) };
    ffmpeg.launcher.spawn(job).await.map_err(|e| cause(argv.program, e).into())
}

/// Runs to the end, within minutes, what reads an original and writes a small file into its folder.
pub(super) async fn brief(
    ffmpeg: &Ffmpeg,
    argv: &Argv,
    folder: &Path,
    original: &Lent,
) -> Result<Report, TaskError> {
    let limits = Limits { wall: BRIEF, ..encode() };
    let spawned = ffmpeg.launcher.spawn(job(argv, folder, original, limits)).await;
    let child = spawned.map_err(|e| cause(argv.program, e))?;
    let ended = child.wait().await;
    read_well(original)?;
    ended.map_err(|e| cause(argv.program, e).into())
}

/// Runs a look at an original; returns its standard output.
pub(super) async fn look(
    ffmpeg: &Ffmpeg,
    argv: &Argv,
    folder: &Path,
    original: &Lent,
) -> Result<Vec<u8>, LookError> {
    let job = Job { capture_stdout: true, ..job(argv, folder, original, look_limits()) };
    let child = ffmpeg.launcher.spawn(job).await.map_err(LookError::Run)?;
    let ended = child.wait().await;
    if let Some(cause) = original.failure() {
        return Err(LookError::Unread(cause));
    }
    let report = ended.map_err(LookError::Run)?;
    if report.stdout_cut { Err(LookError::TooMuch) } else { Ok(report.stdout) }
}

/// A look that told nothing.
#[derive(Debug)]
pub(super) enum LookError {
    /// The program did not start or did not end well.
    Run(ConfineError),
    /// The original could not be read, which is not its uploader's fault.
    Unread(Cause),
    /// It told more than any film has to tell.
    TooMuch,
}

impl LookError {
    /// Whether the file is to blame: the program ended by itself, or in a limit or a crash, none of
    /// which a good file causes.
    pub(super) fn is_theirs(&self) -> bool {
        match self {
            Self::Unread(_) => false,
            Self::TooMuch => true,
            Self::Run(e) => is_of_input(e),
        }
    }

    /// The end of what the program said on standard error.
    pub(super) fn said(&self) -> &str {
        match self {
            Self::Run(e) => e.report().map_or("", |report| &report.stderr),
            Self::Unread(_) | Self::TooMuch => "",
        }
    }

    /// As a cause of ours.
    pub(super) fn cause(self, program: Planned) -> Cause {
        match self {
            Self::Run(e) => cause(program, e),
            Self::Unread(cause) => cause,
            Self::TooMuch => Cause::Row("more output than a look may have"),
        }
    }
}

/// Whether a run ended in a way that its input can cause: an exit code, a limit, a crash. Signal 9
/// from elsewhere is the machine short of memory.
pub(crate) fn is_of_input(e: &ConfineError) -> bool {
    match e {
        ConfineError::NonZero { .. }
        | ConfineError::OverLimit { .. }
        | ConfineError::TimedOut { .. } => true,
        ConfineError::Killed { signal, .. } => *signal != 9,
        _ => false,
    }
}

/// Ends a run whose pipes were read: kills it when a reader failed, and says what is to blame.
///
/// Of two failures the reader's is the cause, but for a program that broke off: then a short pipe
/// only repeats it, unless what it had written before was already not what was planned. Before both
/// comes an original that could not be read. What the pipes' ends made of their rest is handed on when all is well.
pub(super) async fn ended(
    program: Planned,
    child: Child,
    original: &Lent,
    read: Result<Read, TaskError>,
) -> Result<(), TaskError> {
    if !matches!(read, Ok(Read::Whole(_))) {
        child.kill();
    }
    let ended = child.wait().await;
    if matches!(read, Ok(Read::Enough)) {
        // Whatever it says about its broken pipe.
        return Ok(());
    }
    read_well(original)?;
    let (lasts, read) = match read {
        Ok(Read::Whole(lasts)) => (lasts, Ok(())),
        Ok(Read::Enough) => return Ok(()),
        Err(e) => (Vec::new(), Err(e)),
    };
    match (ended, read) {
        (Ok(_), Ok(())) => {
            pipe::hand_on(lasts).await;
            Ok(())
        }
        (Ok(_), read) => read,
        (Err(ConfineError::NonZero { code: TOO_MANY_ERRORS, .. }), _) => {
            Err(TaskError::Theirs(Failure::new(
                "undecodable",
                "Most of this file cannot be decoded.",
                "The file may be damaged: check that it plays, or export it again and upload that.",
            )))
        }
        (Err(e), Ok(())) => Err(cause(program, e).into()),
        (Err(ConfineError::NonZero { .. } | ConfineError::Cancelled { .. }), Err(e)) => Err(e),
        (Err(e), Err(TaskError::Ours(Cause::Fmp4(_) | Cause::Mismatch(_)))) => {
            Err(cause(program, e).into())
        }
        (Err(_), Err(e)) => Err(e),
    }
}

fn job<'a>(argv: &'a Argv, folder: &'a Path, original: &Lent, limits: Limits) -> Job<'a> {
    let program = match argv.program {
        Planned::Ffmpeg => Program::Ffmpeg,
        Planned::Ffprobe => Program::Ffprobe,
    };
    Job {
        program,
        args: &argv.args,
        work_dir: folder,
        readable: &[],
        pipes: 0,
        capture_stdout: false,
        connect_port: Some(original.port()),
        limits,
    }
}

fn cause(program: Planned, source: ConfineError) -> Cause {
    let said = source.report().map(|r| r.stderr.trim().to_owned()).unwrap_or_default();
    let program = match program {
        Planned::Ffmpeg => "ffmpeg",
        Planned::Ffprobe => "ffprobe",
    };
    Cause::Media { program, source, said }
}
