//! Master playlists: which renditions there are.

use super::language::tag;
use super::{START, VERSION};
use crate::Rational;

/// Apple (1.32) asks for a first variant of about this many bits/s.
const FIRST_VARIANT: u64 = 2_000_000;

/// One rung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant<'a> {
    /// Its media playlist, relative to the master.
    pub uri: &'a str,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// From the stored init segment: `avc1.64001f`.
    pub codec: &'a str,
    /// Frames per second.
    pub frame_rate: Rational,
    /// Bits/s of the picture alone: measured, or while growing the plan's cap.
    pub peak: u64,
    /// Likewise.
    pub average: u64,
}

/// The sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioRendition<'a> {
    /// Its media playlist, relative to the master.
    pub uri: &'a str,
    /// `mp4a.40.2`
    pub codec: &'a str,
    /// 1 or 2.
    pub channels: u32,
    /// As the original tells it.
    pub language: Option<&'a str>,
    /// Bits/s.
    pub peak: u64,
    /// Bits/s.
    pub average: u64,
}

/// The final master: measured rates; the variant nearest 2000 kbit/s first, then by rate. Sound alone is one
/// plain variant.
pub fn master(variants: &[Variant<'_>], audio: Option<&AudioRendition<'_>>) -> String {
    render(variants, audio, "")
}

/// The master while rungs are added: only those whose segments reach as far as the lowest rung's may be listed.
pub fn growing_master(variants: &[Variant<'_>], audio: Option<&AudioRendition<'_>>) -> String {
    render(variants, audio, START)
}

fn render(variants: &[Variant<'_>], audio: Option<&AudioRendition<'_>>, start: &str) -> String {
    let mut text = format!("#EXTM3U\n{VERSION}#EXT-X-INDEPENDENT-SEGMENTS\n{start}");
    match audio {
        Some(audio) if variants.is_empty() => {
            text.push_str(&format!(
                "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"{}\"\n{}\n",
                audio.peak, audio.average, audio.codec, audio.uri
            ));
            return text;
        }
        Some(audio) => text.push_str(&format!(
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"main\",LANGUAGE=\"{}\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"{}\",URI=\"{}\"\n",
            tag(audio.language),
            audio.channels,
            audio.uri
        )),
        None => {}
    }
    let mut ordered: Vec<&Variant<'_>> = variants.iter().collect();
    ordered.sort_by_key(|variant| variant.peak);
    let (audio_peak, audio_average) = audio.map_or((0, 0), |audio| (audio.peak, audio.average));
    let off = |variant: &&Variant<'_>| (variant.peak + audio_peak).abs_diff(FIRST_VARIANT);
    let first = (0..ordered.len()).min_by_key(|at| ordered.get(*at).map(off));
    if let Some(front) = first.and_then(|first| ordered.get_mut(..=first)) {
        front.rotate_right(1);
    }
    for variant in ordered {
        let codecs = match audio {
            Some(audio) => format!("{},{}", variant.codec, audio.codec),
            None => variant.codec.to_owned(),
        };
        let group = if audio.is_some() { ",AUDIO=\"a\"" } else { "" };
        text.push_str(&format!(
            "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"{codecs}\",RESOLUTION={}x{},FRAME-RATE={},VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE{group}\n{}\n",
            variant.peak + audio_peak,
            variant.average + audio_average,
            variant.width,
            variant.height,
            thousandths(variant.frame_rate),
            variant.uri
        ));
    }
    text
}

fn thousandths(rate: Rational) -> String {
    let rounded = rate.scale(1, 1000);
    format!("{}.{:03}", rounded / 1000, rounded % 1000)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn variant(uri: &'static str, width: u32, height: u32, peak: u64) -> Variant<'static> {
        let frame_rate = Rational::parse("30000/1001").unwrap();
        Variant { uri, width, height, codec: "avc1.64001f", frame_rate, peak, average: peak / 2 }
    }

    const AUDIO: AudioRendition<'_> = AudioRendition {
        uri: "audio/index-a1b2c3.m3u8",
        codec: "mp4a.40.2",
        channels: 2,
        language: Some("eng"),
        peak: 130_000,
        average: 128_000,
    };

    fn ladder() -> [Variant<'static>; 3] {
        [
            variant("480p/index-a1b2c3.m3u8", 854, 480, 1_000_000),
            variant("720p/index-a1b2c3.m3u8", 1280, 720, 2_100_000),
            variant("1080p/index-a1b2c3.m3u8", 1920, 1080, 4_400_000),
        ]
    }

    #[test]
    fn the_variant_near_2000_kbit_comes_first() {
        expect![[r##"
            #EXTM3U
            #EXT-X-VERSION:7
            #EXT-X-INDEPENDENT-SEGMENTS
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="main",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio/index-a1b2c3.m3u8"
            #EXT-X-STREAM-INF:BANDWIDTH=2230000,AVERAGE-BANDWIDTH=1178000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE,AUDIO="a"
            720p/index-a1b2c3.m3u8
            #EXT-X-STREAM-INF:BANDWIDTH=1130000,AVERAGE-BANDWIDTH=628000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=854x480,FRAME-RATE=29.970,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE,AUDIO="a"
            480p/index-a1b2c3.m3u8
            #EXT-X-STREAM-INF:BANDWIDTH=4530000,AVERAGE-BANDWIDTH=2328000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1920x1080,FRAME-RATE=29.970,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE,AUDIO="a"
            1080p/index-a1b2c3.m3u8
        "##]].assert_eq(&master(&ladder(), Some(&AUDIO)));
    }

    #[test]
    fn silent_films_have_no_group() {
        expect![[r##"
            #EXTM3U
            #EXT-X-VERSION:7
            #EXT-X-INDEPENDENT-SEGMENTS
            #EXT-X-STREAM-INF:BANDWIDTH=1000000,AVERAGE-BANDWIDTH=500000,CODECS="avc1.64001f",RESOLUTION=854x480,FRAME-RATE=29.970,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE
            480p/index-a1b2c3.m3u8
        "##]].assert_eq(&master(&ladder()[..1], None));
    }

    #[test]
    fn sound_alone_is_a_plain_variant() {
        expect![[r##"
            #EXTM3U
            #EXT-X-VERSION:7
            #EXT-X-INDEPENDENT-SEGMENTS
            #EXT-X-STREAM-INF:BANDWIDTH=130000,AVERAGE-BANDWIDTH=128000,CODECS="mp4a.40.2"
            audio/index-a1b2c3.m3u8
        "##]]
        .assert_eq(&master(&[], Some(&AUDIO)));
    }

    #[test]
    fn growing() {
        let audio = AudioRendition { language: Some("\"\nx"), ..AUDIO };
        expect![[r##"
            #EXTM3U
            #EXT-X-VERSION:7
            #EXT-X-INDEPENDENT-SEGMENTS
            #EXT-X-START:TIME-OFFSET=0.001,PRECISE=YES
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="main",LANGUAGE="und",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio/index-a1b2c3.m3u8"
            #EXT-X-STREAM-INF:BANDWIDTH=1130000,AVERAGE-BANDWIDTH=628000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=854x480,FRAME-RATE=29.970,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE,AUDIO="a"
            480p/index-a1b2c3.m3u8
        "##]].assert_eq(&growing_master(&ladder()[..1], Some(&audio)));
    }
}
