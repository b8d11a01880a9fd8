//! Films: originals of a few bytes that say themselves what they are.

use bytes::Bytes;
use reelpin_plan::index::Packet;
use reelpin_plan::probe::SoundFrames;
use reelpin_plan::{Cues, Index, Options, Probe, Refusal, TICKS};

use crate::script::{Film, Flaw};

/// Frames a second.
const RATE: u32 = 25;

/// A key frame each so many frames.
const KEY: u32 = 25;

/// Bytes of a frame.
const FRAME: u32 = 4000;

/// Bytes of a second of sound.
const SOUND: u32 = 16_000;

/// An original: a box that looks like a film's, then the film's parameters as JSON.
pub fn original(film: &Film) -> Bytes {
    let mut bytes = b"\0\0\0\x18ftypisom\0\0\0\0isommp41".to_vec();
    bytes.extend(serde_json::to_vec(film).unwrap_or_default());
    Bytes::from(bytes)
}

/// As many bytes that are no film.
pub fn noise(length: usize) -> Bytes {
    Bytes::from(vec![b'x'; length])
}

/// What an original says.
pub(super) fn film(original: &[u8]) -> Result<Film, Refusal> {
    let json = original.get(24..).ok_or(Refusal::NotAVideo)?;
    let film: Film = serde_json::from_slice(json).map_err(|_| Refusal::NotAVideo)?;
    if film.flaw == Flaw::Refused { Err(Refusal::NotAVideo) } else { Ok(film) }
}

/// How films of these few seconds are divided among workers.
pub fn options() -> Options {
    Options { longest_stretch: 12 * TICKS, worth_taking: 0, ..Options::default() }
}

/// Every fourth is a Matroska file that is too large for an index.
fn is_large(film: &Film) -> bool {
    film.number % 4 == 1
}

/// What ffprobe and the tables would tell of it.
pub(super) fn probe(film: &Film) -> Result<Probe, Refusal> {
    let seconds = film.seconds;
    let size = seconds * (RATE * FRAME + SOUND);
    let (width, height) = if film.rungs > 1 { (1280, 720) } else { (640, 360) };
    // Every third can be copied.
    let codec = if film.number.is_multiple_of(3) { "h264" } else { "hevc" };
    let (container, time_base) = if is_large(film) {
        ("matroska,webm", "1/1000")
    } else {
        ("mov,mp4,m4a,3gp,3g2,mj2", "1/12800")
    };
    let mut streams = vec![serde_json::json!({
        "index": 0, "codec_name": codec, "codec_type": "video", "profile": "High",
        "width": width, "height": height, "sample_aspect_ratio": "1:1", "pix_fmt": "yuv420p",
        "field_order": "progressive", "r_frame_rate": format!("{RATE}/1"),
        "avg_frame_rate": format!("{RATE}/1"), "time_base": time_base, "start_pts": 0,
        "duration": format!("{seconds}.000000"), "bit_rate": "1000000",
        "disposition": { "default": 1 },
    })];
    if film.sound {
        streams.push(serde_json::json!({
            "index": 1, "codec_name": "aac", "codec_type": "audio", "profile": "LC",
            "time_base": "1/48000", "start_pts": 0, "duration": format!("{seconds}.000000"),
            "bit_rate": "128000", "channels": 2, "sample_rate": "48000",
            "disposition": { "default": 1 },
        }));
    }
    let answer = serde_json::json!({
        "streams": streams,
        "format": {
            "format_name": container, "nb_streams": streams.len(),
            "start_time": "0.000000", "duration": format!("{seconds}.000000"),
            "size": size.to_string(), "bit_rate": "1000000",
        },
    });
    let mut probe = Probe::parse(&answer.to_string())?;
    // Of every other it can be copied.
    if let Some(audio) = probe.audio.as_mut().filter(|_| film.number.is_multiple_of(2)) {
        let count = u64::from(seconds) * 48_000 / 1024 + 1;
        let frames =
            SoundFrames { rate: 48_000, length: 1024, count, first: 0, from: 0, until: None };
        audio.frames = Some(frames);
    }
    Ok(probe)
}

/// When its key frames are shown, of a large one.
pub(super) fn cues(film: &Film) -> Option<Cues> {
    let keys = (0..film.seconds * RATE).step_by(KEY as usize);
    Cues::new(keys.filter(|_| is_large(film)).map(|frame| i64::from(frame * 1000 / RATE)))
}

/// When its frames are shown.
pub(super) fn index(film: &Film) -> Option<Index> {
    if is_large(film) {
        return None;
    }
    let frames = 0..film.seconds * RATE;
    Index::new(frames.map(|frame| Packet {
        pts: i64::from(frame) * 512,
        key: frame % KEY == 0,
        size: FRAME,
        discard: false,
    }))
}

/// The bytes of a segment: the same each time it is made.
pub(super) fn segment(film: &Film, resolution: &str, sequence: u32) -> Vec<u8> {
    let length = 20 + (film.number as usize * 7 + sequence as usize * 13) % 120;
    let words = format!("{} {resolution} {sequence};", film.number);
    words.bytes().cycle().take(length).collect()
}

/// The bytes of an init segment.
pub(super) fn init(film: &Film, resolution: &str) -> Vec<u8> {
    format!("init {} {resolution}", film.number).into_bytes()
}

#[cfg(test)]
mod tests {
    use reelpin_transcoder::encoder::Probed;

    use super::*;

    #[test]
    fn films_can_be_planned() {
        for (number, seconds, rungs, sound) in
            [(1, 3, 1, false), (1, 13, 2, true), (2, 20, 2, true), (3, 13, 2, true)]
        {
            let flaw = Flaw::None;
            let made = Film { number, seconds, rungs, sound, flaw };
            let bytes = original(&made);
            assert_eq!(film(&bytes).unwrap(), made);
            let probe = probe(&made).unwrap();
            let options = options();
            let probed = Probed { probe, index: index(&made), cues: cues(&made) };
            let plan = probed.plan(&options).unwrap();
            assert_eq!((plan.grid.exact, plan.grid.keyed), (number != 1, number == 1));
            assert_eq!(plan.audio.as_ref().map(|audio| audio.copy), sound.then_some(number == 2));
            let picture = plan.video.unwrap();
            assert_eq!(picture.rungs.len(), rungs as usize);
            assert_eq!(picture.joints.len() > 1, seconds > 12, "{seconds}");
        }
    }
}
