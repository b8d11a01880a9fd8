//! The poster: one frame as JPEG.

use super::{Argv, seconds};
use crate::TICKS;
use crate::plan::Plan;

/// Longest side of a poster, pixels.
const LONG_SIDE: u32 = 1280;

/// Without an index, a poster earlier than this is reached by decoding instead of seeking, ticks: 6 s.
const TRUSTED_SEEK: u64 = 6 * TICKS;

/// Writes one frame from a tenth into the film to the file `out` (no `%` in its name), in the shape it is shown in.
/// `None` where there is no picture. A damaged file may give none (exit 0 and nothing written).
pub fn poster(plan: &Plan, original: &str, out: &str) -> Option<Argv> {
    let video = plan.video.as_ref()?;
    let top = video.rungs.last()?;
    let long = top.width.max(top.height);
    let side = |pixels: u32| {
        if long <= LONG_SIDE {
            return pixels;
        }
        let scaled = u64::from(pixels) * u64::from(LONG_SIDE) / u64::from(long);
        (u32::try_from(scaled).unwrap_or(LONG_SIDE) / 2 * 2).max(2)
    };
    let (width, height) = (side(top.width), side(top.height));
    let mut argv = Argv::ffmpeg();
    argv.guard(&plan.decoders);
    let seek = video.poster_at > 0 && (plan.grid.is_divisible() || video.poster_at > TRUSTED_SEEK);
    let mut pick = String::new();
    if seek {
        let at = video.time_base.scale(video.start_pts, 1_000_000);
        let at = at.saturating_add_unsigned(video.poster_at * 100 / 9);
        let sign = if at < 0 { "-" } else { "" };
        let at = at.unsigned_abs();
        argv.add("-seek_timestamp 1 -ss");
        argv.arg(format!("{sign}{}.{:06}", at / 1_000_000, at % 1_000_000));
    } else if video.poster_at > 0 {
        // The first frame, and the right one over it if the film really reaches so far.
        pick = format!("select=eq(n\\,0)+gte(t-start_t\\,{}),", seconds(video.poster_at));
    }
    argv.arg("-i").arg(original);
    // JPEG is BT.601 in full range, whatever the film is.
    argv.arg("-filter_complex").arg(format!(
        "[0:{}]{pick}{}{},scale=in_color_matrix=bt709:in_range=tv:out_color_matrix=bt601:out_range=pc,format=yuvj420p[p]",
        video.stream,
        video.picture.deinterlacer(),
        video.picture.filters(width, height)
    ));
    argv.add("-map [p] -frames:v").arg(if pick.is_empty() { "1" } else { "2" });
    argv.add("-fps_mode passthrough -c:v mjpeg -q:v 3 -map_metadata -1 -f image2 -update 1")
        .arg(out);
    Some(argv)
}
