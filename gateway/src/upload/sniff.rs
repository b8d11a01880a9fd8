//! Whether a file's first bytes are those of a media container. Only a first sieve: what passes is
//! probed before anything is promised.

/// How many bytes are looked at: three packets of the longest transport stream form fit.
pub(super) const BYTES: u64 = 4096;

/// Signatures at the very start.
const STARTS: &[&[u8]] = &[
    b"\x1a\x45\xdf\xa3",                 // EBML: Matroska, WebM (RFC 8794, 11.2.1)
    b"FLV\x01",                          // Flash video
    b"OggS",                             // Ogg (RFC 3533)
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", // ASF: WMV, WMA (header object's GUID)
    b"\x00\x00\x01\xba",                 // MPEG program stream, pack header
    b"\x00\x00\x01\xb3",                 // MPEG-1/2 video, sequence header
    b"ID3",                              // MP3 with a tag
    b"fLaC",                             // FLAC
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02", // MXF, partition pack (SMPTE 377)
    b".RMF",                             // RealMedia
    b"wvpk",                             // WavPack
    b"caff",                             // Core Audio
    b"\x0b\x77",                         // AC-3
];

/// The first boxes of ISO base media and QuickTime files.
const BOXES: &[&[u8]] = &[b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp"];

/// Forms of RIFF and its like: AVI, WAV, RF64, AIFF.
const FORMS: &[(&[u8], &[u8])] = &[
    (b"RIFF", b"AVI "),
    (b"RIFF", b"WAVE"),
    (b"RF64", b"WAVE"),
    (b"FORM", b"AIFF"),
    (b"FORM", b"AIFC"),
];

/// Whether a container of video or audio begins so.
pub(super) fn is_media(first: &[u8]) -> bool {
    let at = |from: usize, len: usize| first.get(from..from + len).unwrap_or_default();
    STARTS.iter().any(|s| first.starts_with(s))
        || BOXES.contains(&at(4, 4))
        || FORMS.iter().any(|(riff, form)| first.starts_with(riff) && at(8, 4) == *form)
        || is_transport_stream(first)
        || is_frames(first)
}

/// MPEG transport stream: a sync byte each 188 bytes (192 with time codes before, as in M2TS; 204
/// with parity), seen three times, or as often as the file is long.
fn is_transport_stream(first: &[u8]) -> bool {
    [(188, 0), (192, 4), (204, 0)].into_iter().any(|(packet, offset)| {
        first.len() >= offset + 2 * packet
            && first.iter().skip(offset).step_by(packet).take(3).all(|byte| *byte == 0x47)
    })
}

/// Bare MP3 or ADTS frames: the sync bits, and none of the values that are reserved.
fn is_frames(first: &[u8]) -> bool {
    let [0xff, second, third, ..] = first else { return false };
    let adts = second & 0xf6 == 0xf0 && (third >> 2) & 0x0f < 13;
    let mp3 = second & 0xe0 == 0xe0
        && (second >> 3) & 3 != 1
        && (second >> 1) & 3 == 1
        && third >> 4 != 0x0f
        && (third >> 2) & 3 != 3;
    adts || mp3
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What ffmpeg writes for each ending: container and codecs.
    const MADE: &[(&str, &[&str])] = &[
        ("mp4", &["-c:v", "libx264"]),
        ("mov", &["-c:v", "libx264"]),
        ("3gp", &["-c:v", "h263", "-s", "176x144"]),
        ("mkv", &["-c:v", "libx264"]),
        ("webm", &["-c:v", "libvpx"]),
        ("avi", &["-c:v", "mpeg4"]),
        ("ts", &["-c:v", "libx264"]),
        ("m2ts", &["-c:v", "libx264"]),
        ("mpg", &["-c:v", "mpeg2video"]),
        ("m2v", &["-c:v", "mpeg2video"]),
        ("flv", &["-c:v", "flv1"]),
        ("ogv", &["-c:v", "libtheora"]),
        ("wmv", &["-c:v", "wmv2"]),
        ("mxf", &["-c:v", "mpeg2video"]),
        ("mp3", &["-c:a", "libmp3lame"]),
        ("aac", &["-c:a", "aac"]),
        ("m4a", &["-c:a", "aac"]),
        ("flac", &["-c:a", "flac"]),
        ("wav", &[]),
        ("aiff", &[]),
        ("ogg", &["-c:a", "libvorbis"]),
        ("ac3", &["-c:a", "ac3"]),
        ("caf", &[]),
        ("wv", &[]),
    ];

    #[test]
    fn knows_what_ffmpeg_writes() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        for (ending, codecs) in MADE {
            let sound = codecs.first() != Some(&"-c:v");
            let source = if sound { "sine=d=0.5" } else { "testsrc2=s=320x240:r=25:d=0.5" };
            let file = folder.path().join(format!("a.{ending}"));
            let made = Command::new("ffmpeg")
                .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", source])
                .args(*codecs)
                .arg(&file)
                .output()?;
            let words = String::from_utf8_lossy(&made.stderr);
            assert!(made.status.success(), "ffmpeg made no {ending}: {words}");
            let mut bytes = std::fs::read(&file)?;
            bytes.truncate(usize::try_from(BYTES)?);
            assert!(is_media(&bytes), "{ending}");
        }
        Ok(())
    }

    #[test]
    fn refuses_what_is_none() {
        let zeros = [0; 5000];
        for bytes in [
            &b""[..],
            b"\xff",
            b"hello, this is text",
            b"<!doctype html><video>",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff\xe0\x00\x10JFIF",
            b"GIF89a",
            b"%PDF-1.7",
            b"PK\x03\x04",
            b"\x7fELF",
            b"RIFF\x00\x00\x00\x00WEBPVP8 ",
            b"#EXTM3U\n#EXT-X-VERSION:3",
            b"ffconcat version 1.0",
            &zeros,
        ] {
            assert!(!is_media(bytes), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_short_transport_stream_needs_all_its_syncs() {
        let mut packets = vec![0; 3 * 188];
        for at in [0, 188, 376] {
            packets[at] = 0x47;
        }
        assert!(is_media(&packets));
        packets[188] = 0;
        assert!(!is_media(&packets));
    }
}
