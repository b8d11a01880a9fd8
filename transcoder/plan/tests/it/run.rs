//! Runs a command line of the plan: `pipe:3`, `pipe:4`... become files.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use reelpin_plan::{Argv, codecs};

/// What a program printed.
pub(crate) struct Printed {
    pub stdout: String,
    pub stderr: String,
    pub code: Option<i32>,
}

impl From<Output> for Printed {
    fn from(output: Output) -> Self {
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }
}

/// The arguments with originals as files: what is read and made of them is the same, and how the
/// worker serves them is its own tests' matter.
fn local(argv: &Argv) -> Vec<String> {
    let mut args = argv.args.clone();
    while let Some(at) = args.iter().position(|arg| arg == codecs::PROTOCOLS) {
        args[at] = "file,pipe".to_owned();
        let served: Vec<String> = args.drain(at + 1..at + 5).collect();
        assert_eq!([&served[0], &served[2]], ["-seekable", "-rw_timeout"]);
    }
    args
}

/// Runs `argv` on a local file.
pub(crate) fn run(argv: &Argv) -> Printed {
    Command::new(argv.program.name()).args(local(argv)).output().unwrap().into()
}

/// Runs `argv` on a local file, with one file for each descriptor from 3 on.
pub(crate) fn run_to(argv: &Argv, files: &[PathBuf]) -> Printed {
    let mut script = "exec \"$0\" \"$@\"".to_owned();
    for (fd, file) in (3..).zip(files) {
        script.push_str(&format!(" {fd}>'{}'", file.display()));
    }
    let mut command = Command::new("sh");
    command.args(["-c", &script, argv.program.name()]).args(local(argv));
    command.output().unwrap().into()
}

/// Runs ffmpeg with words; panics with its text if it fails.
#[track_caller]
pub(crate) fn ffmpeg(args: &[&str]) -> Printed {
    let output =
        Command::new("ffmpeg").args(["-nostdin", "-y", "-hide_banner"]).args(args).output();
    let printed = Printed::from(output.unwrap());
    assert_eq!(printed.code, Some(0), "ffmpeg {args:?}: {}", printed.stderr);
    printed
}

/// Raw bytes that ffmpeg writes to stdout.
pub(crate) fn ffmpeg_bytes(args: &[&str]) -> Vec<u8> {
    let output =
        Command::new("ffmpeg").args(["-nostdin", "-hide_banner"]).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Lines of `ffprobe -show_entries` in CSV.
pub(crate) fn ffprobe(entries: &str, stream: &str, file: &Path) -> Vec<String> {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            stream,
            "-show_entries",
            entries,
            "-of",
            "csv=p=0",
        ])
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
