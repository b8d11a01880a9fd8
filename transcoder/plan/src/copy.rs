//! Whether the original's own picture can be the top rung, and its own sound the sound: nothing is encoded then, and
//! nothing is lost.

pub mod sound;

use crate::ladder::Size;
use crate::probe::{Hdr, Probe, Video};
use crate::{Index, Rational, TICKS, rates};

/// The longest first group of pictures, ticks: 4 s, because it is the first segment, for which everybody waits.
const FIRST_GROUP: u64 = 4 * TICKS;

/// The longest group, ticks: 10 s; each is one fragment, and one segment at least.
const GROUP: u64 = 10 * TICKS;

/// What a group may have of the rung's upper rate, percent: the encoder's own buffer lets twice the rate through for
/// a second, Apple's rule 1.30 asks for a peak of at most twice the average.
const PEAK_PERCENT: u64 = 150;

/// Groups shorter than this are measured together with what follows, ticks: 2 s.
const WINDOW: u64 = 2 * TICKS;

/// Why a picture is encoded although it is there already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Not in a container whose tables tell its frames, to the tick: Matroska rounds times to milliseconds.
    #[error("the file is no MP4 that tells exactly when its frames are shown")]
    NoIndex,
    /// Another codec.
    #[error("the picture is coded as {0}, and only H.264 plays everywhere")]
    Codec(String),
    /// A profile or a pixel format that not all players have.
    #[error("the picture is {0}, which not all players can show")]
    Form(String),
    /// More pixels than the highest rung, odd sides, or pixels that are not square.
    #[error("the picture has to be scaled to {0}x{1}")]
    Size(u32, u32),
    /// Rotated by a note in the file.
    #[error("the picture is turned by a note in the file that not all players heed")]
    Turned,
    /// Fields.
    #[error("the picture is interlaced")]
    Interlaced,
    /// Too many frames a second.
    #[error("the picture has more than 60 frames a second")]
    Fast,
    /// Frames come irregularly.
    #[error("the frames come at irregular times")]
    Irregular,
    /// Cut by an edit list in the middle of a group.
    #[error("the file hides frames that decoding needs")]
    Hidden,
    /// Key frames are too far apart.
    #[error("the key frames lie up to {0} s apart, too far for segments")]
    Keys(u64),
    /// Groups depend on each other.
    #[error("some groups of pictures depend on the one before")]
    Open,
    /// Too many bits.
    #[error("the picture takes {0} kbit/s, more than the {1} of this size")]
    Rate(u64, u64),
}

/// Whether the picture can be copied as a rung of `top` at `rate` frames a second. Returns the times of its key
/// frames, ticks from the first frame.
///
/// # Errors
/// [`Why`] not, the first reason that is found.
pub fn conforms(
    probe: &Probe,
    video: &Video,
    index: Option<&Index>,
    top: &Size,
    rate: Rational,
    keep_every: u32,
) -> Result<Vec<u64>, Why> {
    if video.codec != "h264" {
        return Err(Why::Codec(video.codec.clone()));
    }
    let plain = matches!(video.pixel_format.as_str(), "yuv420p" | "yuvj420p");
    if !plain || video.hdr != Hdr::None || video.pixel_format == "yuvj420p" {
        return Err(Why::Form(format!("in the format {}", video.pixel_format)));
    }
    let profile = video.profile.as_deref().unwrap_or("of an unknown profile");
    if !matches!(profile, "Constrained Baseline" | "Baseline" | "Main" | "High") {
        return Err(Why::Form(format!("H.264 {profile}")));
    }
    if video.rotation != 0 {
        return Err(Why::Turned);
    }
    if (video.coded_width, video.coded_height) != (top.width, top.height) {
        return Err(Why::Size(top.width, top.height));
    }
    if video.interlaced() {
        return Err(Why::Interlaced);
    }
    if keep_every > 1 {
        return Err(Why::Fast);
    }
    let exact = probe.container.split(',').any(|name| name == "mov");
    let index = index.filter(|_| exact).ok_or(Why::NoIndex)?;
    if index.discards() {
        return Err(Why::Hidden);
    }
    let first = *index.pts().first().ok_or(Why::NoIndex)?;
    let ticks = |pts: i64| u64::try_from(video.time_base.scale(pts - first, TICKS)).unwrap_or(0);
    regular(index, ticks, rate)?;
    // Whoever writes no list of key frames says by that that all of them are: seldom true.
    let all_keys = index.frames() > 1 && index.groups().len() >= index.frames();
    if all_keys || index.groups().iter().any(|group| !group.closed) {
        return Err(Why::Open);
    }
    let keys: Vec<u64> = index.groups().iter().map(|group| ticks(group.pts)).collect();
    let end = index.pts().last().map_or(0, |last| ticks(*last)) + crate::grid::frame_ticks(rate);
    let bytes: Vec<u64> = index.groups().iter().map(|group| group.bytes).collect();
    lengths(&keys, end)?;
    let cap = rates::cap(top.width, top.height, rate, None);
    light(&keys, &bytes, end, cap)?;
    Ok(keys)
}

/// Frames follow each other at the nominal rate, give or take half a frame, but for a frame that is missing.
fn regular(index: &Index, ticks: impl Fn(i64) -> u64, rate: Rational) -> Result<(), Why> {
    let frame = crate::grid::frame_ticks(rate);
    let steps = index.pts().windows(2).map(|pair| match pair {
        [one, next] => ticks(*next).saturating_sub(ticks(*one)),
        _ => frame,
    });
    let odd = steps.filter(|step| *step * 2 < frame || *step > frame * 5 / 2).count();
    if odd == 0 { Ok(()) } else { Err(Why::Irregular) }
}

fn lengths(keys: &[u64], end: u64) -> Result<(), Why> {
    let ends = keys.iter().skip(1).copied().chain([end]);
    let lengths: Vec<u64> =
        keys.iter().zip(ends).map(|(key, end)| end.saturating_sub(*key)).collect();
    if keys.first() != Some(&0) {
        return Err(Why::Open);
    }
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let first = lengths.first().copied().unwrap_or(0);
    if longest > GROUP || first > FIRST_GROUP {
        return Err(Why::Keys(longest.max(first).div_ceil(TICKS)));
    }
    Ok(())
}

/// No run of groups of at least [`WINDOW`] has more than the peak, and all together no more than `cap` bits/s.
fn light(keys: &[u64], bytes: &[u64], end: u64, cap: u64) -> Result<(), Why> {
    let rate = |bytes: u64, ticks: u64| {
        let bits = u128::from(bytes) * 8 * u128::from(TICKS) / u128::from(ticks.max(1));
        u64::try_from(bits).unwrap_or(u64::MAX)
    };
    let average = rate(bytes.iter().sum(), end);
    if average > cap {
        return Err(Why::Rate(average / 1000, cap / 1000));
    }
    let (mut from, mut held) = (0, 0u64);
    for (at, more) in bytes.iter().enumerate() {
        held = held.saturating_add(*more);
        let to = keys.get(at + 1).copied().unwrap_or(end);
        if to.saturating_sub(from) >= WINDOW {
            let peak = rate(held, to.saturating_sub(from));
            if peak > cap * PEAK_PERCENT / 100 {
                return Err(Why::Rate(peak / 1000, cap / 1000));
            }
            (from, held) = (to, 0);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::index::Packet;
    use crate::{Options, Plan};

    /// 8 s of 1080p at 25 frames a second; `change` is what differs from a picture that conforms.
    fn film(change: impl Fn(&mut Probe, &mut Vec<Packet>)) -> (Probe, Option<Index>) {
        let json = serde_json::json!({
            "streams": [{
                "index": 0, "codec_name": "h264", "codec_type": "video", "profile": "High",
                "width": 1920, "height": 1080, "sample_aspect_ratio": "1:1", "pix_fmt": "yuv420p",
                "field_order": "progressive", "r_frame_rate": "25/1", "avg_frame_rate": "25/1",
                "time_base": "1/12800", "start_pts": 0, "duration": "8.000000",
            }],
            "format": { "format_name": "mov,mp4,m4a,3gp,3g2,mj2", "nb_streams": 1, "duration": "8.000000" },
        });
        let mut probe = Probe::parse(&json.to_string()).unwrap();
        let packets = (0..200).map(|frame| Packet {
            pts: frame * 512,
            size: 20_000,
            key: frame % 50 == 0,
            discard: false,
        });
        let mut packets: Vec<Packet> = packets.collect();
        change(&mut probe, &mut packets);
        (probe, Index::new(packets))
    }

    fn told(change: impl Fn(&mut Probe, &mut Vec<Packet>)) -> String {
        let (probe, index) = film(change);
        let video = probe.video.as_ref().unwrap();
        let top = Size { width: 1920, height: 1080 };
        let told = conforms(&probe, video, index.as_ref(), &top, Rational::whole(25), 1);
        told.map_or_else(|why| why.to_string(), |keys| format!("copied, {} groups", keys.len()))
    }

    fn video(probe: &mut Probe) -> &mut Video {
        probe.video.as_mut().unwrap()
    }

    #[test]
    fn no_rung_below_what_is_copied_may_have_more() {
        let caps = |size: u32| {
            let (probe, index) =
                film(|_, packets| packets.iter_mut().for_each(|one| one.size = size));
            let plan = Plan::new(&probe, index.as_ref(), &Options::default()).unwrap();
            let rungs = plan.video.unwrap().rungs;
            let told = rungs.iter().map(|one| format!("{} {}", one.max_bitrate / 1000, one.copy));
            format!("{} kbit/s: {}", size / 5, told.collect::<Vec<_>>().join(", "))
        };
        expect![[r#"
            4000 kbit/s: 1400 false, 2800 false, 5000 true
            900 kbit/s: 900 false, 900 false, 5000 true
            100 kbit/s: 204 false, 460 false, 5000 true"#]]
        .assert_eq(&[20_000, 4500, 500].map(caps).join("\n"));
    }

    #[test]
    fn why_not() {
        let table = [
            told(|_, _| {}),
            told(|probe, _| video(probe).codec = "hevc".to_owned()),
            told(|probe, _| video(probe).pixel_format = "yuv422p10le".to_owned()),
            told(|probe, _| video(probe).profile = Some("High 4:4:4 Predictive".to_owned())),
            told(|probe, _| video(probe).rotation = 90),
            told(|probe, _| video(probe).coded_width = 3840),
            told(|probe, _| video(probe).field_order = Some("tt".to_owned())),
            told(|probe, _| probe.container = "matroska,webm".to_owned()),
            told(|_, packets| packets[100].discard = true),
            told(|_, packets| packets.iter_mut().skip(60).for_each(|packet| packet.pts += 2000)),
            told(|_, packets| packets.iter_mut().for_each(|packet| packet.key = true)),
            told(|_, packets| {
                (packets[50].pts, packets[51].pts) = (packets[51].pts, packets[50].pts)
            }),
            told(|_, packets| packets[50].key = false),
            told(|_, packets| packets.iter_mut().for_each(|packet| packet.size = 40_000)),
            told(|_, packets| packets.iter_mut().take(50).for_each(|packet| packet.size = 60_000)),
        ];
        expect![[r#"
            copied, 4 groups
            the picture is coded as hevc, and only H.264 plays everywhere
            the picture is in the format yuv422p10le, which not all players can show
            the picture is H.264 High 4:4:4 Predictive, which not all players can show
            the picture is turned by a note in the file that not all players heed
            the picture has to be scaled to 1920x1080
            the picture is interlaced
            the file is no MP4 that tells exactly when its frames are shown
            the file hides frames that decoding needs
            the frames come at irregular times
            some groups of pictures depend on the one before
            some groups of pictures depend on the one before
            copied, 3 groups
            the picture takes 8000 kbit/s, more than the 5000 of this size
            the picture takes 6000 kbit/s, more than the 5000 of this size"#]]
        .assert_eq(&table.join("\n"));
    }
}
