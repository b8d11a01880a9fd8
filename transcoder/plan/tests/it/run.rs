//! Runs a command line of the plan: `pipe:3`, `pipe:4`... become files.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use reelpin_plan::Argv;

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

/// Runs `argv` as it is.
pub(crate) fn run(argv: &Argv) -> Printed {
    Command::new(argv.program.name()).args(&argv.args).output().unwrap().into()
}

/// Runs `argv` with one file for each descriptor from 3 on.
pub(crate) fn run_to(argv: &Argv, files: &[PathBuf]) -> Printed {
    let mut script = "exec \"$0\" \"$@\"".to_owned();
    for (fd, file) in (3..).zip(files) {
        script.push_str(&format!(" {fd}>'{}'", file.display()));
    }
    let mut command = Command::new("sh");
    command.args(["-c", &script, argv.program.name()]).args(&argv.args);
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
