//! The poster: one frame as JPEG.

use super::Argv;
use crate::plan::Plan;

/// Longest side of a poster, pixels.
const LONG_SIDE: u32 = 1280;

/// Writes one frame from a tenth into the film to `out` (a path or `pipe:N`), in the shape it is shown in.
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
    argv.guard(&video.decoders);
    if video.poster_at > 0 {
        let at = video.time_base.scale(video.start_pts, 1_000_000);
        let at = at.saturating_add_unsigned(video.poster_at * 100 / 9);
        let sign = if at < 0 { "-" } else { "" };
        let at = at.unsigned_abs();
        argv.add("-seek_timestamp 1 -ss");
        argv.arg(format!("{sign}{}.{:06}", at / 1_000_000, at % 1_000_000));
    }
    argv.arg("-i").arg(original);
    // JPEG is BT.601 in full range, whatever the film is.
    argv.arg("-filter_complex").arg(format!(
        "[0:{}]{}{},scale=in_color_matrix=bt709:in_range=tv:out_color_matrix=bt601:out_range=pc,format=yuvj420p[p]",
        video.stream,
        video.picture.deinterlacer(),
        video.picture.filters(width, height)
    ));
    argv.add("-map [p] -frames:v 1 -c:v mjpeg -q:v 3 -map_metadata -1 -f mjpeg").arg(out);
    Some(argv)
}
