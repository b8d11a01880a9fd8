//! ffprobe's JSON into a [`Probe`]: which streams count, and what is refused.

use serde::Deserialize;

use super::{Audio, Color, Hdr, Probe, Video, nominal};
use crate::{Rational, Refusal, TICKS, codecs, limits};

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    streams: Vec<Stream>,
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Format {
    format_name: Option<String>,
    start_time: Option<String>,
    duration: Option<String>,
    size: Option<String>,
    bit_rate: Option<String>,
    nb_streams: Option<usize>,
}

#[derive(Deserialize)]
struct Stream {
    index: Option<u32>,
    codec_name: Option<String>,
    codec_type: Option<String>,
    profile: Option<String>,
    width: Option<u64>,
    height: Option<u64>,
    sample_aspect_ratio: Option<String>,
    pix_fmt: Option<String>,
    field_order: Option<String>,
    color_range: Option<String>,
    color_space: Option<String>,
    color_transfer: Option<String>,
    color_primaries: Option<String>,
    r_frame_rate: Option<String>,
    avg_frame_rate: Option<String>,
    time_base: Option<String>,
    start_pts: Option<i64>,
    duration: Option<String>,
    bit_rate: Option<String>,
    channels: Option<u32>,
    sample_rate: Option<String>,
    #[serde(default)]
    disposition: Disposition,
    #[serde(default)]
    tags: Tags,
    #[serde(default)]
    side_data_list: Vec<SideData>,
}

#[derive(Deserialize, Default)]
struct Disposition {
    #[serde(default)]
    default: u8,
    #[serde(default)]
    attached_pic: u8,
    #[serde(default)]
    timed_thumbnails: u8,
}

#[derive(Deserialize, Default)]
struct Tags {
    language: Option<String>,
}

#[derive(Deserialize)]
struct SideData {
    rotation: Option<f64>,
    dv_profile: Option<u8>,
}

pub(super) fn probe(json: &str) -> Result<Probe, Refusal> {
    let answer: Answer = serde_json::from_str(json).map_err(|_| Refusal::NotAVideo)?;
    let format = answer.format.ok_or(Refusal::NotAVideo)?;
    let n_streams = format.nb_streams.unwrap_or(0).max(answer.streams.len());
    if n_streams > limits::MAX_STREAMS {
        return Err(Refusal::TooManyStreams { streams: n_streams });
    }
    let (audio, audio_left_out) = match best_audio(&answer.streams) {
        Ok(audio) => (audio, None),
        Err(codec) => (None, Some(codec)),
    };
    let video = match best(answer.streams.iter().filter(|stream| stream.is_picture())) {
        Some(stream) => Some(video(stream)?),
        None => None,
    };
    let audio_left_out = match (&video, audio_left_out) {
        (None, Some(codec)) => return Err(Refusal::UnsupportedCodec { track: "sound", codec }),
        (Some(_), Some(codec)) => {
            Some(format!("the sound is coded as {codec}, which is not supported"))
        }
        (_, None) => None,
    };
    if video.is_none() && audio.is_none() {
        return Err(Refusal::NotAVideo);
    }
    let duration = ticks(&format.duration).and_then(|ticks| u64::try_from(ticks).ok());
    let longest = [
        duration,
        video.as_ref().and_then(|video| video.duration),
        audio.as_ref().and_then(|audio| audio.duration),
    ];
    let longest = longest.into_iter().flatten().max().unwrap_or(0);
    if longest > limits::MAX_SECONDS * TICKS {
        return Err(Refusal::TooLong { seconds: longest / TICKS });
    }
    Ok(Probe {
        container: format.format_name.unwrap_or_default(),
        size: number(&format.size),
        duration,
        start: ticks(&format.start_time).unwrap_or(0),
        bit_rate: number(&format.bit_rate),
        video,
        audio,
        audio_left_out,
    })
}

impl Stream {
    fn is_picture(&self) -> bool {
        let still = self.disposition.attached_pic != 0 || self.disposition.timed_thumbnails != 0;
        self.codec_type.as_deref() == Some("video") && !still
    }

    fn time_base(&self) -> Rational {
        let read = self.time_base.as_deref().and_then(Rational::parse);
        read.unwrap_or_else(|| Rational::new(1, TICKS as i64).unwrap_or(Rational::whole(1)))
    }

    fn length(&self) -> Option<u64> {
        ticks(&self.duration).and_then(|ticks| u64::try_from(ticks).ok())
    }
}

/// The first that is marked as default, else the first.
fn best<'a>(streams: impl Iterator<Item = &'a Stream> + Clone) -> Option<&'a Stream> {
    let default = streams.clone().find(|stream| stream.disposition.default != 0);
    default.or_else(|| streams.clone().next())
}

fn video(stream: &Stream) -> Result<Video, Refusal> {
    let codec = stream.codec_name.clone().unwrap_or_else(|| "unknown".to_owned());
    if codecs::video_decoders(&codec).is_none() {
        return Err(Refusal::UnsupportedCodec { track: "picture", codec });
    }
    // Profile 5 has no ordinary picture inside: decoded plainly it is green and violet.
    if stream.side_data_list.iter().any(|data| data.dv_profile == Some(5)) {
        let codec = "Dolby Vision profile 5".to_owned();
        return Err(Refusal::UnsupportedCodec { track: "picture", codec });
    }
    let (stored_width, stored_height) = (stream.width.unwrap_or(0), stream.height.unwrap_or(0));
    let side = |pixels: u64| u32::try_from(pixels).ok().filter(|side| *side <= limits::MAX_SIDE);
    let (Some(coded_width), Some(coded_height)) = (side(stored_width), side(stored_height)) else {
        return Err(Refusal::TooManyPixels { width: stored_width, height: stored_height });
    };
    if stored_width * stored_height > limits::MAX_PIXELS {
        return Err(Refusal::TooManyPixels { width: stored_width, height: stored_height });
    }
    let Some(pixel_format) = stream.pix_fmt.clone().filter(|_| coded_width > 0 && coded_height > 0)
    else {
        return Err(Refusal::NoFrames);
    };
    let sar = sample_aspect(stream.sample_aspect_ratio.as_deref());
    let rotation = rotation(&stream.side_data_list);
    let wide = sar.scale(i64::from(coded_width), 1).clamp(1, i64::from(limits::MAX_SIDE * 8));
    let wide = u32::try_from(wide).unwrap_or(coded_width);
    let (width, height) =
        if rotation % 180 == 90 { (coded_height, wide) } else { (wide, coded_height) };
    let rate = |text: &Option<String>| text.as_deref().and_then(Rational::parse);
    let average_rate = rate(&stream.avg_frame_rate);
    let tag = |text: &Option<String>| {
        text.clone().filter(|tag| !matches!(tag.as_str(), "unknown" | "unspecified" | "reserved"))
    };
    let color = Color {
        range: tag(&stream.color_range),
        space: tag(&stream.color_space),
        primaries: tag(&stream.color_primaries),
        transfer: tag(&stream.color_transfer),
    };
    Ok(Video {
        stream: stream.index.unwrap_or(0),
        profile: tag(&stream.profile),
        bit_depth: bit_depth(&pixel_format),
        pixel_format,
        coded_width,
        coded_height,
        width,
        height,
        sar,
        rotation,
        rate: nominal(rate(&stream.r_frame_rate), average_rate),
        average_rate,
        time_base: stream.time_base(),
        start_pts: stream.start_pts.unwrap_or(0),
        duration: stream.length(),
        bit_rate: number(&stream.bit_rate),
        hdr: match color.transfer.as_deref() {
            Some("smpte2084") => Hdr::Pq,
            Some("arib-std-b67") => Hdr::Hlg,
            _ => Hdr::None,
        },
        color,
        field_order: tag(&stream.field_order),
        codec,
    })
}

/// The best sound that can be decoded; the codec's name if there is sound but none such.
fn best_audio(streams: &[Stream]) -> Result<Option<Audio>, String> {
    let sound = streams.iter().filter(|stream| stream.codec_type.as_deref() == Some("audio"));
    let decodable = |stream: &&Stream| {
        let codec = stream.codec_name.as_deref().unwrap_or_default();
        let rate: Option<u32> = number(&stream.sample_rate);
        codecs::audio_decoders(codec).is_some()
            && stream.channels.is_some_and(|channels| channels > 0)
            && rate.is_some_and(|rate| rate > 0)
    };
    match best(sound.clone().filter(decodable)) {
        Some(stream) => Ok(Some(Audio {
            stream: stream.index.unwrap_or(0),
            codec: stream.codec_name.clone().unwrap_or_default(),
            profile: stream.profile.clone(),
            frames: None,
            channels: stream.channels.unwrap_or(2),
            sample_rate: number(&stream.sample_rate).unwrap_or(48_000),
            time_base: stream.time_base(),
            start_pts: stream.start_pts.unwrap_or(0),
            duration: stream.length(),
            language: stream.tags.language.clone().filter(|language| language != "und"),
        })),
        None => match sound.clone().next() {
            Some(stream) => Err(stream.codec_name.clone().unwrap_or_else(|| "unknown".to_owned())),
            None => Ok(None),
        },
    }
}

/// Pixels are square when nothing is said, when the file tells more than 8 to 1, and within 1/200: whoever scales
/// 1280x720 to 854x480 gets 1281:1280, and nobody sees it.
fn sample_aspect(text: Option<&str>) -> Rational {
    let told = text.and_then(Rational::parse);
    let sound = |sar: &Rational| {
        (0.125..=8.0).contains(&sar.as_f64()) && (sar.as_f64() - 1.0).abs() > 0.005
    };
    told.filter(sound).unwrap_or(Rational::whole(1))
}

/// ffprobe counts counter-clockwise from -180; ours is clockwise, and a turn within a degree of a
/// quarter is that quarter, as in ffmpeg's own turning.
fn rotation(side_data: &[SideData]) -> u16 {
    let told = side_data.iter().find_map(|data| data.rotation).unwrap_or(0.0);
    if !told.is_finite() {
        return 0;
    }
    let clockwise = (-told).rem_euclid(360.0);
    let quarter = (clockwise / 90.0).round() * 90.0;
    let turned = if (clockwise - quarter).abs() < 1.0 { quarter } else { clockwise.round() };
    (turned as u16) % 360
}

fn bit_depth(pixel_format: &str) -> u8 {
    for (needle, depth) in [("p16", 16), ("p14", 14), ("p12", 12), ("p10", 10), ("p9", 9)] {
        if pixel_format.contains(needle) {
            return depth;
        }
    }
    if pixel_format.contains("48") || pixel_format.contains("64") { 16 } else { 8 }
}

fn number<T: std::str::FromStr>(text: &Option<String>) -> Option<T> {
    text.as_deref().and_then(|text| text.parse().ok())
}

/// Decimal seconds to ticks; `None` for anything that is no finite number.
fn ticks(text: &Option<String>) -> Option<i64> {
    let seconds: f64 = number(text)?;
    seconds.is_finite().then(|| (seconds * TICKS as f64).round() as i64)
}
