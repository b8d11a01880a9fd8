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
