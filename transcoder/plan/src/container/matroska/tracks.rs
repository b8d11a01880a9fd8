//! The list of tracks: which of them is a stream's.

use super::super::window::{Go, Halt, number};
use super::element::{id, vint};

const TRACK_ENTRY: u32 = 0xae;
const TRACK_NUMBER: u32 = 0xd7;
const TRACK_TYPE: u32 = 0x83;
const CODEC_ID: u32 = 0x86;
const TRACK_TIMESTAMP_SCALE: u32 = 0x23_314f;
const CODEC_DELAY: u32 = 0x56aa;
const CONTENT_ENCODINGS: u32 = 0x6d80;

/// All tracks, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Tracks(Vec<Track>);

#[derive(Debug, Default)]
struct Track {
    number: u64,
    kind: u64,
    /// ffmpeg leaves out tracks without one.
    coded: bool,
    /// Its times or bytes are not what blocks say.
    odd: bool,
}

impl Tracks {
    /// From the contents of the element.
    pub(super) fn read(bytes: &[u8]) -> Go<Self> {
        let mut tracks = Self::default();
        each(bytes, |id, content| {
            if id == TRACK_ENTRY {
                tracks.0.push(track(content)?);
            }
            Ok(())
        })?;
        Ok(tracks)
    }

    /// Number of the track that is stream `stream`, a picture.
    pub(super) fn picture(&self, stream: u32) -> Go<u64> {
        let stream = usize::try_from(stream).map_err(|_| Halt::Unfit)?;
        // Picture, sound, subtitle, metadata: what ffmpeg makes streams of.
        let known = |track: &Track| track.coded && matches!(track.kind, 1 | 2 | 0x11 | 0x21);
        if !self.0.iter().take(stream).all(known) {
            return Err(Halt::Unfit);
        }
        let track =
            self.0.get(stream).filter(|track| known(track) && track.kind == 1 && !track.odd);
        let number = track.ok_or(Halt::Unfit)?.number;
        let only = self.0.iter().filter(|track| track.number == number).count() == 1;
        if only { Ok(number) } else { Err(Halt::Unfit) }
    }
}

fn track(bytes: &[u8]) -> Go<Track> {
    let mut track = Track::default();
    each(bytes, |id, content| {
        match id {
            TRACK_NUMBER => track.number = number(short(content)?),
            TRACK_TYPE => track.kind = number(short(content)?),
            CODEC_ID => {
                track.coded = !content.is_empty();
                // Video for Windows: its times are those of decoding.
                track.odd |= content.starts_with(b"V_MS");
            }
            TRACK_TIMESTAMP_SCALE => {
                let one = content == 1f32.to_be_bytes() || content == 1f64.to_be_bytes();
                track.odd |= !one;
            }
            CODEC_DELAY => track.odd |= content.iter().any(|byte| *byte != 0),
            CONTENT_ENCODINGS => track.odd = true,
            _ => {}
        }
        Ok(())
    })?;
    Ok(track)
}

fn short(content: &[u8]) -> Go<&[u8]> {
    if content.len() <= 8 { Ok(content) } else { Err(Halt::Unfit) }
}

/// Elements that follow one another, all of known length.
pub(super) fn each(mut bytes: &[u8], mut visit: impl FnMut(u32, &[u8]) -> Go<()>) -> Go<()> {
    while !bytes.is_empty() {
        let (id, rest) =
            id(bytes).and_then(|(id, n)| Some((id, bytes.get(n..)?))).ok_or(Halt::Unfit)?;
        let (length, n) = vint(rest).ok_or(Halt::Unfit)?;
        let rest = rest.get(n..).ok_or(Halt::Unfit)?;
        let length = usize::try_from(length).map_err(|_| Halt::Unfit)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(Halt::Unfit)?;
        visit(id, content)?;
        bytes = rest;
    }
    Ok(())
}
