//! The encoder of one stretch: one decode, every rung, a pipe for each.

use super::{Argv, FRAGMENTS};
use crate::plan::{Plan, Rung, VideoPlan};
use crate::{Grid, Stretch, TICKS};

/// Keys are forced this much before their frame, so that rounding cannot miss it: 0.5 ms, in ticks.
const KEY_MARGIN: u64 = TICKS / 2000;

/// Encodes `stretch`: rung i of the plan goes to `pipe:(first_fd + i)` as an init segment and one fragment for each
/// GOP. `None` where there is no picture.
pub fn encode(plan: &Plan, stretch: &Stretch, original: &str, first_fd: u32) -> Option<Argv> {
    let video = plan.video.as_ref()?;
    let mut argv = Argv::ffmpeg();
    argv.guard(&plan.decoders);
    if let Some(micros) = stretch.seek_us {
        // Relative to the clock of the original, not to its start, and to the key frame itself.
        let sign = if micros < 0 { "-" } else { "" };
        let micros = micros.unsigned_abs();
        argv.add("-seek_timestamp 1 -ss");
        argv.arg(format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000));
        argv.add("-noaccurate_seek");
    }
    argv.add("-copyts -i").arg(original);
    argv.add("-filter_complex").arg(filters(video, stretch));
    let keys = keys(&plan.grid, stretch);
    for (fd, (number, rung)) in (first_fd..).zip(video.rungs.iter().enumerate()) {
        output(&mut argv, number, rung, keys.as_deref());
        argv.arg(format!("pipe:{fd}"));
    }
    Some(argv)
}

fn output(argv: &mut Argv, number: usize, rung: &Rung, keys: Option<&str>) {
    argv.arg("-map").arg(format!("[v{number}]"));
    argv.add("-c:v libx264 -preset veryfast -crf 23");
    argv.arg("-maxrate").arg(rung.max_bitrate.to_string());
    argv.arg("-bufsize").arg((rung.max_bitrate * 2).to_string());
    argv.add("-g 100000 -sc_threshold 0");
    if let Some(keys) = keys {
        argv.arg("-force_key_frames").arg(keys);
    }
    // The default time base is one frame: a film that starts between frames would move by up to 20 ms.
    argv.add("-fps_mode passthrough -enc_time_base 1:90000");
    argv.add("-color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709");
    argv.add(FRAGMENTS);
    argv.add("-movflags +cmaf+frag_keyframe+empty_moov+frag_discont+skip_trailer");
}

/// One chain from the decoder to the top rung, each rung below scaled from the one above.
fn filters(video: &VideoPlan, stretch: &Stretch) -> String {
    let end = stretch.end_pts.map_or(String::new(), |end| format!(":end_pts={end}"));
    let mut graph = format!("[0:{}]trim=start_pts={}{end}", video.stream, stretch.start_pts);
    // In the stream's own time base, so exact; after this, time 0 is the first frame of the film.
    if video.start_pts != 0 {
        graph.push_str(&format!(",setpts=PTS-({})", video.start_pts));
    }
    if video.keep_every > 1 {
        graph.push_str(&format!(",select=not(mod(n\\,{}))", video.keep_every));
    }
    graph.push(',');
    graph.push_str(video.picture.deinterlacer());
    for (number, rung) in video.rungs.iter().enumerate().rev() {
        if number + 1 == video.rungs.len() {
            graph.push_str(&video.picture.filters(rung.width, rung.height));
        } else {
            graph.push_str(&format!(
                ";[s{number}]scale={}:{}:flags=bicubic,setsar=1",
                rung.width, rung.height
            ));
        }
        match number.checked_sub(1) {
            Some(below) => graph.push_str(&format!(",split=2[v{number}][s{below}]")),
            None => graph.push_str("[v0]"),
        }
    }
    graph
}

/// Key frames of the stretch after its first; `None` when there are none.
fn keys(grid: &Grid, stretch: &Stretch) -> Option<String> {
    if !grid.exact {
        return Some(format!("expr:{}", grid.key_expression()));
    }
    let gops = grid.gops.iter().skip(stretch.first_gop as usize).take(stretch.gops as usize);
    let times: Vec<String> = gops
        .skip(1)
        .map(|gop| {
            let tenths_ms = (gop.start.saturating_sub(KEY_MARGIN)) * 10_000 / TICKS;
            format!("{}.{:04}", tenths_ms / 10_000, tenths_ms % 10_000)
        })
        .collect();
    (!times.is_empty()).then(|| times.join(","))
}
