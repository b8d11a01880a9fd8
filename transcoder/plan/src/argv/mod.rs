//! Command lines: values that a worker runs and adds nothing to.
//!
//! An original is an address of a server on the worker's own machine that answers ranges. Paths are given by the
//! worker, never by uploaders; they must not begin with `-` nor hold a colon before the first slash. All programs read with allow-lists and limits. Outputs called `pipe:N` are inherited
//! descriptors. Progress is counted in stored segments, so no `-progress`. Text on stderr is not failure,
//! and exit 0 is not success: what was delivered is compared with the plan.

mod audio;
mod copy;
mod encode;
mod poster;
mod read;

pub use audio::audio;
pub use copy::copy;
pub use encode::encode;
pub use poster::poster;
pub use read::{packets, probe, probe_further};

use std::fmt;

use crate::{TICKS, codecs, limits};

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `ffmpeg`
    Ffmpeg,
    /// `ffprobe`
    Ffprobe,
}

impl Program {
    /// Its file name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ffmpeg => "ffmpeg",
            Self::Ffprobe => "ffprobe",
        }
    }
}

/// A program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argv {
    /// What to run.
    pub program: Program,
    /// Without the program's own name.
    pub args: Vec<String>,
}

impl Argv {
    fn new(program: Program) -> Self {
        Self { program, args: Vec::new() }
    }

    /// Splits at spaces: for arguments that hold none.
    fn add(&mut self, words: &str) -> &mut Self {
        self.args.extend(words.split_whitespace().map(str::to_owned));
        self
    }

    fn arg(&mut self, arg: impl Into<String>) -> &mut Self {
        self.args.push(arg.into());
        self
    }

    fn ffmpeg() -> Self {
        let mut argv = Self::new(Program::Ffmpeg);
        argv.add("-nostdin -hide_banner -v error");
        argv
    }

    /// Options that must stand before an original's `-i`.
    fn guard(&mut self, decoders: &str) -> &mut Self {
        self.add("-protocol_whitelist").arg(codecs::PROTOCOLS);
        // It answers ranges, so nobody need find out. Microseconds; without it a read may hang for ever.
        // Nothing reconnects: a broken connection is an error that the worker knows of.
        self.add("-seekable 1 -rw_timeout").arg((limits::READ_SECONDS * 1_000_000).to_string());
        self.add("-format_whitelist").arg(codecs::FORMATS);
        if !decoders.is_empty() {
            self.add("-codec_whitelist").arg(decoders);
        }
        self.add("-max_pixels").arg(limits::MAX_PIXELS.to_string())
    }
}

/// For people and golden files: an option with its value on each line.
impl fmt::Display for Argv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program.name())?;
        let mut after_option = false;
        for arg in &self.args {
            let name = arg.strip_prefix('-');
            let option = name.is_some_and(|name| !name.starts_with(|c: char| c.is_ascii_digit()));
            let separator = if option || !after_option { '\n' } else { ' ' };
            write!(f, "{separator}{arg}")?;
            after_option = option;
        }
        writeln!(f)
    }
}

/// Ticks as decimal seconds, to the microsecond.
fn seconds(ticks: u64) -> String {
    let micros = u128::from(ticks) * 1_000_000 / u128::from(TICKS);
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// CMAF fragments of our time line: composition offsets may be negative so that the first frame's decode and
/// presentation times are equal (else tfdt underflows to 2^64 - n), no edit list (it would differ between
/// stretches), times as they are, no index at the end.
const FRAGMENTS: &str =
    "-map_metadata -1 -f mp4 -use_editlist 0 -avoid_negative_ts disabled -flush_packets 1";
