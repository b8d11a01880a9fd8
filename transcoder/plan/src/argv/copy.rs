//! The copy of the original's picture as a rung.

use super::{Argv, FRAGMENTS};
use crate::TICKS;
use crate::plan::Plan;

/// Copies the whole picture to `pipe:fd` as an init segment and one fragment for each of the original's own groups,
/// from time 0 on. `None` where nothing is copied.
pub fn copy(plan: &Plan, original: &str, fd: u32) -> Option<Argv> {
    let video = plan.video.as_ref()?;
    video.copied()?;
    let mut argv = Argv::ffmpeg();
    argv.guard(&plan.decoders);
    argv.add("-copyts -i").arg(original);
    argv.arg("-map").arg(format!("0:{}", video.stream));
    argv.add("-c copy -tag:v avc1");
    // Supplemental information (NAL unit type 6) goes: cameras write place and time there, and what is encoded
    // carries none of it either.
    argv.add("-bsf:v filter_units=remove_types=6");
    // Not by the filter `setts`: its packets have the output's time base while its `TB` is the original's (ffmpeg 5.1.9).
    let start = video.time_base.scale(video.start_pts, TICKS);
    if start != 0 {
        // To the microsecond, of which eleven are a tick: ffmpeg comes to the same tick.
        let micros = -i128::from(start) * 1_000_000 / i128::from(TICKS);
        argv.arg("-output_ts_offset").arg(format!("{micros}us"));
    }
    argv.arg("-video_track_timescale").arg(TICKS.to_string());
    argv.add(FRAGMENTS);
    argv.add("-movflags +cmaf+frag_keyframe+empty_moov+frag_discont+skip_trailer");
    argv.arg(format!("pipe:{fd}"));
    Some(argv)
}
