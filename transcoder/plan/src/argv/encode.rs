//! The encoder of one run: one decode, its rungs, a pipe for each.

use super::{Argv, FRAGMENTS};
use crate::plan::{Plan, Rung, VideoPlan};
use crate::stretch::Entry;
use crate::{Grid, Run, TICKS, limits};

/// Keys are forced this much before their frame, so that rounding cannot miss it: 0.5 ms, in ticks.
const KEY_MARGIN: u64 = TICKS / 2000;

/// By how many segments a film may be longer than header and cues say, before its last GOP has no end.
const BEYOND: u32 = 100;

/// Encodes `run`: its part i goes to `pipe:(first_fd + i)` as an init segment and one fragment for each GOP. `None`
/// where the plan has no picture or no such rung.
pub fn encode(plan: &Plan, run: &Run, original: &str, first_fd: u32) -> Option<Argv> {
    let video = plan.video.as_ref()?;
    let mut argv = Argv::ffmpeg();
    argv.guard(&plan.decoders);
    let entry = usize::try_from(run.first()).ok().and_then(|first| video.entries.get(first));
    if let Some(micros) = entry.and_then(|entry| entry.seek_us) {
        // Relative to the clock of the original, not to its start, and to the key frame itself.
        let sign = if micros < 0 { "-" } else { "" };
        let micros = micros.unsigned_abs();
        argv.add("-seek_timestamp 1 -ss");
        argv.arg(format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000));
        argv.add("-noaccurate_seek");
    }
    argv.add("-copyts -i").arg(original);
    argv.add("-filter_complex").arg(filters(&plan.grid, video, run)?);
    for (fd, part) in (first_fd..).zip(&run.parts) {
        let keys = keys(&plan.grid, part.first, run.end);
        output(&mut argv, part.rung, video.rungs.get(part.rung)?, keys.as_deref());
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

/// One chain from the decoder to the highest rung of the run, each rung below scaled from the one above.
fn filters(grid: &Grid, video: &VideoPlan, run: &Run) -> Option<String> {
    let entry = |sequence: u32| usize::try_from(sequence).ok().and_then(|at| video.entries.get(at));
    let from = run.first();
    // By cues, the lead comes first.
    let lead = if grid.keyed { units(grid.lead(), video) } else { 0 };
    let begin = |sequence, entry: &Entry| if sequence > 0 { entry.pts - lead } else { entry.pts };
    let start = entry(from).map_or(video.start_pts, |entry| begin(from, entry));
    let end = run.end.and_then(entry).map_or(String::new(), |end| format!(":end_pts={}", end.pts));
    let mut graph = format!("[0:{}]trim=start_pts={start}{end}", video.stream);
    // In the stream's own time base, so exact; after this, time 0 is the first frame of the film.
    if video.start_pts != 0 {
        graph.push_str(&format!(",setpts=PTS-({})", video.start_pts));
    }
    if video.keep_every > 1 {
        graph.push_str(&format!(",select=not(mod(n\\,{}))", video.keep_every));
    }
    graph.push(',');
    if video.picture.deinterlace {
        // It halves the unit of time; what follows counts in the stream's.
        graph.push_str(video.picture.deinterlacer());
        graph.push_str(&format!("settb={},", video.time_base));
    }
    for (at, part) in run.parts.iter().enumerate().rev() {
        let rung = video.rungs.get(part.rung)?;
        let number = part.rung;
        if at + 1 == run.parts.len() {
            graph.push_str(&video.picture.filters(rung.width, rung.height));
        } else {
            graph.push_str(&format!(
                ";[s{number}]scale={}:{}:flags=bicubic,setsar=1",
                rung.width, rung.height
            ));
        }
        // Exact too: the frames' time base is still the stream's.
        let trim = match entry(part.first).filter(|_| part.first > from) {
            Some(entry) => {
                format!("trim=start_pts={}", begin(part.first, entry) - video.start_pts)
            }
            None => String::new(),
        };
        match at.checked_sub(1).and_then(|below| run.parts.get(below)) {
            Some(below) => {
                let below = below.rung;
                if trim.is_empty() {
                    graph.push_str(&format!(",split=2[v{number}][s{below}]"));
                } else {
                    graph.push_str(&format!(
                        ",split=2[t{number}][s{below}];[t{number}]{trim}[v{number}]"
                    ));
                }
            }
            None if trim.is_empty() => graph.push_str(&format!("[v{number}]")),
            None => graph.push_str(&format!(",{trim}[v{number}]")),
        }
    }
    Some(graph)
}

/// Ticks in units of the stream's times.
fn units(ticks: u64, video: &VideoPlan) -> i64 {
    let base = video.time_base;
    let units = i128::from(ticks) * i128::from(base.den());
    i64::try_from(units / (i128::from(base.num()) * i128::from(TICKS))).unwrap_or(0)
}

/// The first frame of each place from segment `first` on; before it lies the lead. The expression would count from the first
/// frame of the run, which is not known. Rounded up to 0.1 ms, while frames are at whole milliseconds.
fn keyed(grid: &Grid, first: u32, end: Option<u32>) -> Option<String> {
    let last = end.unwrap_or(grid.n_segments().saturating_add(BEYOND));
    let most = usize::try_from(limits::MAX_STRETCH_SECONDS).unwrap_or(usize::MAX);
    let times = grid.places(first, last).take(most).map(|start| {
        let tenths_ms = (start * 10_000).div_ceil(TICKS);
        format!("{}.{:04}", tenths_ms / 10_000, tenths_ms % 10_000)
    });
    let times: Vec<String> = times.collect();
    (!times.is_empty()).then(|| times.join(","))
}

/// Key frames from segment `first` on, after its own; `None` when there are none.
fn keys(grid: &Grid, first: u32, end: Option<u32>) -> Option<String> {
    if grid.keyed {
        return keyed(grid, first, end);
    }
    if !grid.exact {
        return Some(format!("expr:{}", grid.key_expression()));
    }
    let gop = |sequence: u32| grid.segment(sequence).map(|place| place.first_gop as usize);
    let from = gop(first)?;
    let to = end.and_then(gop).unwrap_or(grid.gops.len());
    let times: Vec<String> = grid
        .gops
        .iter()
        .take(to)
        .skip(from + 1)
        .map(|gop| {
            let tenths_ms = (gop.start.saturating_sub(KEY_MARGIN)) * 10_000 / TICKS;
            format!("{}.{:04}", tenths_ms / 10_000, tenths_ms % 10_000)
        })
        .collect();
    (!times.is_empty()).then(|| times.join(","))
}
