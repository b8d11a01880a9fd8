//! Progressive MP4s from what was stored: no second encode.

use super::{Argv, seconds};
use crate::codecs;

/// One rendition as a file: its init segment and all its segments, joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input<'a> {
    /// Path.
    pub path: &'a str,
    /// Time of its first frame or sample, ticks: the start of its segment 0. Only an original without an
    /// index can have one that is not 0.
    pub start: u64,
}

impl<'a> From<&'a str> for Input<'a> {
    fn from(path: &'a str) -> Self {
        Self { path, start: 0 }
    }
}

/// Copies one video and one audio rendition (or either) into an MP4 at `out`, a path: the index is moved to
/// the front, which needs a file that can be read back.
///
/// They are two inputs because each input's times are counted from its own start: as one input the video,
/// whose times libavformat moves by its reordering, would be a frame or two late.
pub fn remux(video: Option<Input<'_>>, audio: Option<Input<'_>>, out: &str) -> Argv {
    let mut argv = Argv::ffmpeg();
    for input in [video, audio].into_iter().flatten() {
        argv.arg("-protocol_whitelist").arg("file");
        argv.arg("-format_whitelist").arg(codecs::OWN_FORMATS);
        if input.start > 0 {
            argv.arg("-itsoffset").arg(seconds(input.start));
        }
        argv.arg("-i").arg(input.path);
    }
    let kinds = [video.map(|_| "v"), audio.map(|_| "a")];
    for (number, kind) in kinds.into_iter().flatten().enumerate() {
        argv.arg("-map").arg(format!("{number}:{kind}"));
    }
    argv.add("-c copy -map_metadata -1 -movflags +faststart -f mp4").arg(out);
    argv
}
