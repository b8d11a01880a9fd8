//! What the uploading client shows: bars on a terminal, plain lines elsewhere, and each video's
//! addresses and CIDs when it is there.

use std::{fmt::Write as _, io::Write as _, path::Path, sync::Mutex};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::Value;

use super::{error::ClientError, follow::State, put};

/// In plain lines one is written whenever this many percent were added.
const STEP: u64 = 25;

#[derive(Debug)]
pub(super) struct Show {
    bars: MultiProgress,
    /// Bars are drawn; else lines are written.
    terminal: bool,
    many: bool,
}

/// The two bars of one file.
#[derive(Debug)]
pub(super) struct Bars {
    name: String,
    upload: ProgressBar,
    transcode: ProgressBar,
    terminal: bool,
    /// The last line that was written: a stage and its percent.
    last: Mutex<(String, u64)>,
}

impl Show {
    pub(super) fn new(n_files: usize) -> Self {
        let bars = MultiProgress::new();
        let terminal = !bars.is_hidden();
        Self { bars, terminal, many: n_files > 1 }
    }

    pub(super) fn file(&self, file: &Path) -> Bars {
        let name = put::name(file);
        let label = if self.many { format!(" {}", short(&name)) } else { String::new() };
        let bar = |word: &str| {
            let bar = self.bars.add(ProgressBar::new(100));
            bar.set_style(style());
            bar.set_prefix(format!("{word:<9}{label}"));
            bar
        };
        let (upload, transcode) = (bar("upload"), bar("transcode"));
        Bars {
            name,
            upload,
            transcode,
            terminal: self.terminal,
            last: Mutex::new((String::new(), 0)),
        }
    }

    /// Prints what became of the file: where to watch it, or what to do.
    pub(super) fn outcome(&self, file: &Path, result: &Result<Value, ClientError>) {
        let text = match result {
            Ok(record) => ready(&put::name(file), record),
            Err(error) => format!("{}: {error}\n", file.display()),
        };
        // A closed standard output must not stop the other uploads.
        self.bars.suspend(|| {
            let _ = write!(std::io::stdout().lock(), "\n{text}");
        });
    }
}

impl Bars {
    pub(super) fn sent(&self, sent: u64, size: u64) {
        let percent = (sent * 100).checked_div(size).unwrap_or(100);
        self.upload.set_position(percent);
        self.upload.set_message(format!("{} of {}", bytes(sent), bytes(size)));
        self.line("uploading", percent);
    }

    pub(super) fn uploaded(&self) {
        self.upload.set_position(100);
        self.upload.finish();
        self.line("uploaded", 100);
    }

    pub(super) fn state(&mut self, state: &State) {
        let percent = state.percent.round() as u64;
        let rungs = state.rungs.iter().fold(String::new(), |mut text, (rung, percent)| {
            let _ = write!(text, "  {rung} {percent:.0} %");
            text
        });
        self.transcode.set_position(percent);
        self.transcode.set_message(format!("{}{rungs}", state.status));
        self.line(&state.status, percent);
    }

    pub(super) fn done(&self) {
        self.upload.finish_and_clear();
        self.transcode.finish_and_clear();
    }

    fn line(&self, stage: &str, percent: u64) {
        if self.terminal {
            return;
        }
        let Ok(mut last) = self.last.lock() else { return };
        if last.0 == stage && percent < last.1 + STEP {
            return;
        }
        *last = (stage.into(), percent - percent % STEP);
        let _ = writeln!(std::io::stdout().lock(), "{}: {stage} {percent} %", self.name);
    }
}

impl Drop for Bars {
    /// Whatever way a file ends, its bars leave the screen to the others.
    fn drop(&mut self) {
        self.done();
    }
}

/// The closing lines of a completed video, from its record alone.
fn ready(name: &str, record: &Value) -> String {
    let mut text = format!("{name}\n");
    let mut row = |label: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "  {label:<18} {value}");
        }
    };
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    row("plays at", &word(&record["playback"]["hls"]));
    row("on IPFS", &word(&record["playback"]["ipfs"]));
    let renditions = record["renditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    for mp4 in renditions.iter().filter(|rendition| rendition["format"] == "mp4") {
        let label = format!("{} MP4", word(&mp4["resolution"]));
        let size = mp4["size"].as_u64().map_or(String::new(), |n| format!("  ({})", bytes(n)));
        row(&label, &format!("{}{size}", word(&mp4["url"])));
    }
    row("original's CID", &word(&record["ipfs_cid"]));
    row("folder's CID", &word(&record["root_cid"]));
    for one in renditions {
        let format = word(&one["format"]).to_uppercase();
        row(&format!("{} {format} CID", word(&one["resolution"])), &word(&one["cid"]));
    }
    for pin in record["pins"].as_array().into_iter().flatten() {
        row("pin", &format!("{} {}", word(&pin["target"]), word(&pin["state"])));
    }
    text
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} [{bar:32}] {percent:>3} %  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// A name that leaves room for the bar.
fn short(name: &str) -> String {
    const ROOM: usize = 20;
    match name.char_indices().nth(ROOM) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => format!("{name:<ROOM$}"),
    }
}

/// In powers of 1000, as disks are sold.
fn bytes(n: u64) -> String {
    match n {
        0..1_000_000 => format!("{:.0} kB", n as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", n as f64 / 1e6),
        _ => format!("{:.2} GB", n as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, ready, short};
    use serde_json::json;

    #[test]
    fn a_completed_video_shows_where_it_plays_and_every_cid() {
        let text = ready(
            "film.mp4",
            &json!({
                "ipfs_cid": "bafyorig", "root_cid": "bafyroot",
                "playback": { "hls": "http://h/video/1/hls/master.m3u8", "ipfs": "ipfs://bafyroot/master.m3u8" },
                "renditions": [
                    { "format": "hls", "resolution": "480p", "cid": "bafyhls" },
                    { "format": "mp4", "resolution": "480p", "cid": "bafymp4", "size": 3_050_000,
                      "url": "http://h/video/1/mp4/480p" } ],
                "pins": [ { "target": "node", "state": "pinned" } ]
            }),
        );
        assert_eq!(
            text,
            "film.mp4
  plays at           http://h/video/1/hls/master.m3u8
  on IPFS            ipfs://bafyroot/master.m3u8
  480p MP4           http://h/video/1/mp4/480p  (3.0 MB)
  original's CID     bafyorig
  folder's CID       bafyroot
  480p HLS CID       bafyhls
  480p MP4 CID       bafymp4
  pin                node pinned
"
        );
    }

    #[test]
    fn sizes_and_names_stay_short() {
        assert_eq!((bytes(999), bytes(4_139_823)), ("1 kB".into(), "4.1 MB".into()));
        assert_eq!(short("ein sehr langer Name über Bären.mp4"), "ein sehr langer Name…");
    }
}
