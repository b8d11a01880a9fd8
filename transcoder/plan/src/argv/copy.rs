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
    let mut filters = "filter_units=remove_types=6".to_owned();
    if video.start_pts != 0 {
        let start = video.start_pts;
        filters.push_str(&format!(",setts=pts=PTS-({start}):dts=DTS-({start})"));
    }
    argv.arg("-bsf:v").arg(filters);
    argv.arg("-video_track_timescale").arg(TICKS.to_string());
    argv.add(FRAGMENTS);
    argv.add("-movflags +cmaf+frag_keyframe+empty_moov+frag_discont+skip_trailer");
    argv.arg(format!("pipe:{fd}"));
    Some(argv)
}
