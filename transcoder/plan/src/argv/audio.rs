//! The encoder of the sound: AAC at 48 kHz from time 0 of the film.

use super::{Argv, FRAGMENTS, seconds};
use crate::TICKS;
use crate::plan::Plan;

/// What is encoded beyond `until`, ticks: half a second, more than the encoder's delay.
const ENOUGH: u64 = TICKS / 2;

/// Encodes the sound to `pipe:fd`. `None` where there is none.
///
/// Sound that begins before the picture is cut there, sound that begins later is preceded by silence, holes
/// are filled. The encoder's priming packet would have a negative time (2^64 - 1024 in a tfdt) and is dropped.
/// Fragments of 2 s; [`crate::Packer`] cuts them as the picture is cut. Ends soon after `until` ticks; `None`: with
/// the sound.
pub fn audio(plan: &Plan, original: &str, fd: u32, until: Option<u64>) -> Option<Argv> {
    let audio = plan.audio.as_ref()?;
    let mut filter = format!("[0:{}]", audio.stream);
    if audio.start_pts != 0 {
        let (num, den) = (audio.time_base.num(), audio.time_base.den());
        let start = i128::from(audio.start_pts) * i128::from(num);
        filter.push_str(&format!("asetpts=PTS-round(({start})/{den}/TB),"));
    }
    filter.push_str(&format!("aresample={}:async=1:first_pts=0", audio.sample_rate));
    if let Some(end) = audio.pad_to {
        filter.push_str(&format!(",apad=whole_dur={}", seconds(end)));
    }
    filter.push_str("[a]");
    let mut argv = Argv::ffmpeg();
    argv.guard(&plan.decoders);
    argv.add("-copyts -i").arg(original);
    argv.arg("-filter_complex").arg(filter);
    argv.add("-map [a] -c:a aac -b:a").arg(audio.bitrate.to_string());
    argv.arg("-ac").arg(audio.channels.to_string());
    argv.add("-bsf:a noise=drop=lt(pts\\,0)");
    if let Some(until) = until {
        argv.arg("-t").arg(seconds(until + ENOUGH));
    }
    argv.add(FRAGMENTS);
    argv.add("-movflags +cmaf+empty_moov+frag_discont+skip_trailer -frag_duration 2000000");
    argv.arg(format!("pipe:{fd}"));
    Some(argv)
}
