//! Real programs under confinement. Where a child must misbehave it is a shell in ffmpeg's place,
//! under the same rules but with the leave to start `/usr/bin`'s programs.

mod life;
mod limits;
mod media;
mod reach;
mod work;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use reelpin_transcoder::confine::{
    Child, ConfineError, Job, Launcher, Limits, Program, Report, Toolbox,
};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;

/// Far more than any condition here needs, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A launcher, a work folder, and a job that is changed before it runs.
struct Bench {
    launcher: Launcher,
    work: TempDir,
    program: Program,
    readable: Vec<PathBuf>,
    pipes: usize,
    capture_stdout: bool,
    connect_port: Option<u16>,
    limits: Limits,
}

impl Bench {
    fn new(toolbox: Toolbox) -> Self {
        Self {
            launcher: Launcher::start(toolbox).unwrap(),
            work: TempDir::new().unwrap(),
            program: Program::Ffmpeg,
            readable: Vec::new(),
            pipes: 0,
            capture_stdout: false,
            connect_port: None,
            limits: Limits {
                cpu_seconds: 120,
                address_space_bytes: 8 << 30,
                file_size_bytes: 64 << 20,
                open_files: 64,
                processes: None,
                nice: 5,
                wall: Duration::from_secs(120),
                stderr_bytes: 4096,
                stdout_bytes: 1 << 20,
            },
        }
    }

    fn real() -> Self {
        Self::new(toolbox())
    }

    fn shell() -> Self {
        let sh = Path::new("/bin/sh").canonicalize().unwrap();
        let mut toolbox = Toolbox::with(sh.clone(), sh);
        toolbox.helpers.push("/usr/bin".into());
        Self::new(toolbox)
    }

    async fn start(&self, args: &[String]) -> Result<Child, ConfineError> {
        let job = Job {
            program: self.program,
            args,
            work_dir: self.work.path(),
            readable: &self.readable,
            pipes: self.pipes,
            capture_stdout: self.capture_stdout,
            connect_port: self.connect_port,
            limits: self.limits.clone(),
        };
        self.launcher.spawn(job).await
    }

    /// Splits at spaces.
    async fn run(&self, args: &str) -> Result<Report, ConfineError> {
        self.start(&split(args)).await?.wait().await
    }

    async fn script(&self, script: &str) -> Child {
        self.start(&["-c".to_owned(), script.to_owned()]).await.unwrap()
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.work.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

fn toolbox() -> Toolbox {
    Toolbox::find(OsStr::new("/usr/local/bin:/usr/bin")).unwrap()
}

fn split(args: &str) -> Vec<String> {
    args.split_whitespace().map(str::to_owned).collect()
}

/// Reads a pipe to its end.
async fn all(child: &mut Child, index: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    child.take_pipe(index).unwrap().read_to_end(&mut bytes).await.unwrap();
    bytes
}

/// Waits for a condition, with a deadline.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what} did not come true");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// No longer there, or ended and only waiting for whoever adopted it.
fn is_gone(pid: i32) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat.rsplit(')').next().is_some_and(|rest| rest.trim().starts_with('Z')),
        Err(_) => true,
    }
}

/// Not even a zombie.
fn is_reaped(pid: i32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}
