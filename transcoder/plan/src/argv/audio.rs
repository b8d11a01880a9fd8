//! The encoder of the sound: AAC at 48 kHz from time 0 of the film. Or its copy, where it is that already.

use super::{Argv, FRAGMENTS, seconds};
use crate::TICKS;
use crate::grid::SHORT_TAIL;
use crate::plan::{AudioPlan, Plan};

/// What is made beyond `until`, ticks: half a second, more than the encoder's delay, and what the packer waits for before it
/// cuts where nobody knows how long the film is.
const ENOUGH: u64 = TICKS / 2 + SHORT_TAIL;

/// One track in fragments of 2 s; [`crate::Packer`] cuts them as the picture is cut.
const MUXED: &str = "-movflags +cmaf+empty_moov+frag_discont+skip_trailer -frag_duration 2000000";

/// Makes the sound to `pipe:fd`. `None` where there is none.
///
/// Sound that begins before the picture is cut there, sound that begins later is preceded by silence, holes
/// are filled. The encoder's priming packet would have a negative time (2^64 - 1024 in a tfdt) and is dropped. What is
/// copied has none of this: [`crate::copy::sound`] has seen to that. Ends soon after `until` ticks; `None`: with the sound.
pub fn audio(plan: &Plan, original: &str, fd: u32, until: Option<u64>) -> Option<Argv> {
    let audio = plan.audio.as_ref()?;
    let mut argv = Argv::ffmpeg();
    argv.guard(&plan.decoders);
    argv.add("-copyts -i").arg(original);
    if audio.copy {
        copied(&mut argv, audio, until);
    } else {
        encoded(&mut argv, audio, until);
    }
    argv.add(FRAGMENTS).add(MUXED).arg(format!("pipe:{fd}"));
    if audio.copy {
        decoded(&mut argv, audio, until);
    }
    Some(argv)
}

fn encoded(argv: &mut Argv, audio: &AudioPlan, until: Option<u64>) {
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
    argv.arg("-filter_complex").arg(filter);
    argv.add("-map [a] -c:a aac -b:a").arg(audio.bitrate.to_string());
    argv.arg("-ac").arg(audio.channels.to_string());
    argv.add("-bsf:a noise=drop=lt(pts\\,0)");
    if let Some(until) = until {
        argv.arg("-t").arg(seconds(until + ENOUGH));
    }
}

fn copied(argv: &mut Argv, audio: &AudioPlan, until: Option<u64>) {
    let start = audio.start_pts;
    argv.arg("-map").arg(format!("0:{}", audio.stream));
    // A fragment that grows beyond 1 MiB is no sound: the packer refuses its frames.
    argv.add("-frag_size 1048576");
    // The rate is only told: ffmpeg would reckon it from the tables, which are not always shown to it whole.
    argv.add("-c copy -b:a").arg(audio.bitrate.to_string());
    argv.arg("-bsf:a").arg(format!("noise=drop=lt(pts\\,{start})"));
    let micros = i128::from(audio.time_base.scale(start, 1_000_000));
    if start != 0 {
        // Rounded to the microsecond, of which 21 are a sample: ffmpeg comes to the same sample.
        argv.arg("-output_ts_offset").arg(format!("{}us", -micros));
    }
    if let Some(end) = end_of_copy(audio, until) {
        argv.arg("-t").arg(end);
    }
}

/// Decodes beside it what is copied: players stop at a damaged frame that an encoder would have left out, so the first
/// one ends it all, also one before the film begins, which is not copied.
fn decoded(argv: &mut Argv, audio: &AudioPlan, until: Option<u64>) {
    argv.arg("-map").arg(format!("0:{}", audio.stream));
    if let Some(end) = end_of_copy(audio, until) {
        // With `-t` it would be counted from the first frame of all, which may be long before.
        argv.arg("-af").arg(format!("atrim=end={end}"));
    }
    argv.add("-xerror -f null -");
}

/// Where it ends by the original's clock, seconds.
fn end_of_copy(audio: &AudioPlan, until: Option<u64>) -> Option<String> {
    let start = audio.time_base.scale(audio.start_pts, TICKS);
    until.map(|until| seconds((until + ENOUGH).saturating_add_signed(start)))
}
