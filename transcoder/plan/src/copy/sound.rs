//! Whether the original's own sound can be kept: nothing is encoded then, and nothing is lost.

use crate::probe::{Audio, Probe, SoundFrames};
use crate::{Grid, Index, TICKS};

/// Samples a second of all sound.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples in a frame of AAC-LC (ISO 14496-3; those of 960 are broadcast's).
const FRAME: u32 = 1024;

/// What the sound may have of the rate that ours would have, percent: 192 kbit/s of stereo, which many programs choose.
const RATE_PERCENT: u64 = 150;

/// By how much the sound may be moved so that a frame of it begins with the picture, samples: 2 ms. Apple's encoders
/// begin with 2112 samples of delay, which are 2 frames and 1.3 ms (QuickTime File Format, "Audio Priming"); one
/// notices 45 ms (ITU-R BT.1359).
const MOVED: u32 = SAMPLE_RATE / 500;

/// By how much it may end before the picture, ticks: 0.1 s.
pub(crate) const SHORT: u64 = TICKS / 10;

/// Why the sound is encoded although it is there already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Another codec.
    #[error("it is coded as {0}, and only AAC plays everywhere")]
    Codec(String),
    /// A kind of AAC that needs a decoder of its own.
    #[error("its profile is {0}, and only AAC-LC plays everywhere")]
    Profile(String),
    /// Surround sound.
    #[error("it has {0} channels, and only mono and stereo play everywhere")]
    Channels(u32),
    /// Other samples a second.
    #[error("it has {0} samples a second, not {SAMPLE_RATE}")]
    SampleRate(u32),
    /// No picture that it could be cut with.
    #[error("sound alone always is")]
    Alone,
    /// No tables, odd ones, frames of different lengths, or a picture without an index.
    #[error("the file is no MP4 that tells exactly when it is heard")]
    NoFrames,
    /// Copying it was tried, and something else came out.
    #[error("it is damaged, or not what the file's tables say")]
    Damaged,
    /// An edit list hides some of it.
    #[error("the file hides some of it")]
    Hidden,
    /// It begins after the picture, or between two frames.
    #[error("it does not begin with the picture")]
    Start,
    /// It ends before the picture.
    #[error("it ends before the picture")]
    End,
    /// Too many bits, or nobody knows.
    #[error("it may take more than {0} kbit/s")]
    Rate(u64),
}

/// A sound that can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// When its first frame of the film begins on the original's clock, samples.
    pub start: i64,
    /// At most so many bits/s on average.
    pub bitrate: u64,
}

/// Whether the sound of a film can be kept beside a picture that begins at `start` on the original's clock, samples,
/// and is cut by `grid`. `bitrate` is what we would make of it, bits/s.
///
/// # Errors
/// [`Why`] not, the first reason that is found.
pub fn conforms(
    probe: &Probe,
    audio: &Audio,
    index: Option<&Index>,
    start: i64,
    grid: &Grid,
    bitrate: u32,
) -> Result<Kept, Why> {
    if audio.codec != "aac" {
        return Err(Why::Codec(audio.codec.clone()));
    }
    if audio.profile.as_deref() != Some("LC") {
        return Err(Why::Profile(audio.profile.clone().unwrap_or_else(|| "unknown".to_owned())));
    }
    if audio.channels > 2 {
        return Err(Why::Channels(audio.channels));
    }
    if audio.sample_rate != SAMPLE_RATE {
        return Err(Why::SampleRate(audio.sample_rate));
    }
    let plain = |frames: &SoundFrames| {
        (frames.rate, frames.length) == (SAMPLE_RATE, FRAME)
            && (audio.time_base.num(), audio.time_base.den()) == (1, SAMPLE_RATE.into())
            && grid.exact
    };
    let frames = audio.frames.filter(plain).ok_or(Why::NoFrames)?;
    let start = nearest(&frames, start).ok_or(Why::Start)?;
    let last = begin(&frames, frames.count.saturating_sub(1));
    let hidden = i128::from(start) + i128::from(MOVED) < frames.from.into();
    if hidden || frames.until.is_some_and(|until| last >= until.into()) {
        return Err(Why::Hidden);
    }
    let lasts = (last - i128::from(start)) * i128::from(TICKS);
    let before = |ticks: u64| lasts < i128::from(ticks) * i128::from(SAMPLE_RATE);
    let last_cut = grid.cut(grid.n_segments().saturating_sub(1)).unwrap_or(0);
    if before(grid.duration.saturating_sub(SHORT)) || before(last_cut) {
        return Err(Why::End);
    }
    let most = u64::from(bitrate) * RATE_PERCENT / 100;
    let bitrate = rest(probe, index, grid.duration).filter(|rate| *rate <= most);
    Ok(Kept { start, bitrate: bitrate.ok_or(Why::Rate(most / 1000))? })
}

/// When frame number `nth` begins, samples on the original's clock.
fn begin(frames: &SoundFrames, nth: u64) -> i128 {
    i128::from(frames.first) + i128::from(nth) * i128::from(FRAME)
}

/// When the frame begins that is nearest to `start`; `None` where it is too far.
fn nearest(frames: &SoundFrames, start: i64) -> Option<i64> {
    let frame = i128::from(FRAME);
    let nth = (i128::from(start) - i128::from(frames.first) + frame / 2).div_euclid(frame);
    let nearest = begin(frames, u64::try_from(nth).ok()?);
    let moved = nearest.abs_diff(start.into());
    i64::try_from(nearest).ok().filter(|_| moved <= MOVED.into())
}

/// Bits/s of everything in the file but the picture, so at least the sound's. `None` where nobody knows.
fn rest(probe: &Probe, index: Option<&Index>, duration: u64) -> Option<u64> {
    let picture: u64 = index?.groups().iter().map(|group| group.bytes).sum();
    let bytes = probe.size?.checked_sub(picture).filter(|_| picture > 0)?;
    let bits = u128::from(bytes) * 8 * u128::from(TICKS);
    u64::try_from(bits.checked_div(duration.into())?).ok()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::Rational;
    use crate::index::Packet;

    /// 10 s of stereo beside 250 frames of picture; `change` is what differs from a sound that can be kept.
    fn told(change: impl Fn(&mut Probe, &mut Audio, &mut SoundFrames)) -> String {
        let json = serde_json::json!({
            "streams": [{
                "index": 0, "codec_name": "aac", "codec_type": "audio", "profile": "LC", "channels": 2,
                "sample_rate": "48000", "time_base": "1/48000", "start_pts": 0, "duration": "10.0",
            }],
            "format": { "format_name": "mov,mp4,m4a,3gp,3g2,mj2", "nb_streams": 2, "size": "1160000" },
        });
        let mut probe = Probe::parse(&json.to_string()).unwrap();
        let mut audio = probe.audio.take().unwrap();
        let mut frames = SoundFrames {
            rate: 48_000,
            length: 1024,
            count: 470,
            first: -1024,
            from: 0,
            until: Some(480_000),
        };
        change(&mut probe, &mut audio, &mut frames);
        audio.frames = Some(frames);
        let packets = (0..250).map(|frame| Packet {
            pts: frame * 512,
            size: 4_000,
            key: frame % 50 == 0,
            discard: false,
        });
        let index = Index::new(packets);
        let grid = Grid::exact((0..250).map(|frame| frame * 3600), Rational::whole(25)).unwrap();
        let told = conforms(&probe, &audio, index.as_ref(), 0, &grid, 128_000);
        told.map_or_else(
            |why| why.to_string(),
            |kept| format!("kept from {} on, {} bit/s", kept.start, kept.bitrate),
        )
    }

    #[test]
    fn why_not() {
        let table = [
            told(|_, _, _| {}),
            told(|_, _, frames| frames.first = -2112),
            told(|_, _, frames| (frames.first, frames.until) = (0, None)),
            told(|_, audio, _| audio.codec = "opus".to_owned()),
            told(|_, audio, _| audio.profile = Some("HE-AAC".to_owned())),
            told(|_, audio, _| audio.profile = None),
            told(|_, audio, _| audio.channels = 6),
            told(|_, audio, _| audio.sample_rate = 44_100),
            told(|_, _, frames| frames.length = 960),
            told(|_, _, frames| frames.rate = 24_000),
            told(|_, _, frames| frames.first = -1500),
            told(|_, _, frames| frames.first = 1024),
            told(|_, _, frames| frames.until = Some(470_000)),
            told(|_, _, frames| (frames.first, frames.from) = (-235_520, 4_800)),
            told(|_, _, frames| frames.count = 460),
            told(|_, _, frames| frames.count = 1),
            told(|probe, _, _| probe.size = Some(1_250_000)),
            told(|probe, _, _| probe.size = None),
            told(|_, _, frames| (frames.first, frames.until) = (i64::MIN, Some(i64::MAX))),
            told(|_, _, frames| frames.count = u64::MAX),
        ];
        expect![[r#"
            kept from 0 on, 128000 bit/s
            kept from -64 on, 128000 bit/s
            kept from 0 on, 128000 bit/s
            it is coded as opus, and only AAC plays everywhere
            its profile is HE-AAC, and only AAC-LC plays everywhere
            its profile is unknown, and only AAC-LC plays everywhere
            it has 6 channels, and only mono and stereo play everywhere
            it has 44100 samples a second, not 48000
            the file is no MP4 that tells exactly when it is heard
            the file is no MP4 that tells exactly when it is heard
            it does not begin with the picture
            it does not begin with the picture
            the file hides some of it
            the file hides some of it
            it ends before the picture
            it ends before the picture
            it may take more than 192 kbit/s
            it may take more than 192 kbit/s
            it ends before the picture
            the file hides some of it"#]]
        .assert_eq(&table.join("\n"));
    }
}
