//! Names of objects in the bucket. Keys are ours alone: short, of `[a-z0-9/._-]`, written once.
//!
//! Everything below `media/<video>/` carries the attempt that wrote it, and has the same relative
//! name over HTTP and in the published folder.

use uuid::Uuid;

/// Key of an original: `orig/<video>/<upload>`.
pub fn original(video: Uuid, upload: Uuid) -> String {
    format!("{}{upload}", originals(video))
}

/// Prefix of every original of a video.
pub fn originals(video: Uuid) -> String {
    format!("orig/{video}/")
}

/// Prefix of everything that may be played of a video.
pub fn media(video: Uuid) -> String {
    format!("media/{video}/")
}

/// Relative name of an init segment: `480p/init-<attempt>.mp4`.
pub fn init(resolution: &str, attempt: &str) -> String {
    format!("{resolution}/init-{attempt}.mp4")
}

/// Relative name of a segment: `480p/00012-<attempt>.m4s`.
pub fn segment(resolution: &str, sequence: u32, attempt: &str) -> String {
    format!("{resolution}/{sequence:05}-{attempt}.m4s")
}

/// Relative name of a media playlist: `480p/index-<attempt>.m3u8`.
pub fn index(resolution: &str, attempt: &str) -> String {
    format!("{resolution}/index-{attempt}.m3u8")
}

/// Relative name of a master playlist: `master-<attempt>.m3u8`.
pub fn master(attempt: &str) -> String {
    format!("master-{attempt}.m3u8")
}

/// Relative name of an MP4: `480p-<attempt>.mp4`.
pub fn mp4(resolution: &str, attempt: &str) -> String {
    format!("{resolution}-{attempt}.mp4")
}

/// Relative name of a poster: `poster-<attempt>.jpg`.
pub fn poster(attempt: &str) -> String {
    format!("poster-{attempt}.jpg")
}

/// Prefixes of all keys of ours; nobody looks at what else may be in the bucket.
pub const AREAS: [&str; 3] = ["media/", "orig/", SCRATCH];

/// Prefix of objects that something is tried with.
pub const SCRATCH: &str = "scratch/";

/// What a key of ours is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use<'a> {
    /// An original, or an upload that may become one.
    Original(Uuid),
    /// Something of a video that may be played.
    Media {
        /// The video.
        video: Uuid,
        /// The attempt that wrote it, as names carry it; `None` in a name that no attempt writes.
        attempt: Option<&'a str>,
    },
    /// Something was tried with it.
    Scratch,
}

/// What a key is for; `None` when it is none of ours.
pub fn parse(key: &str) -> Option<Use<'_>> {
    if key.starts_with(SCRATCH) {
        return Some(Use::Scratch);
    }
    let (area, rest) = key.split_once('/')?;
    let (video, name) = rest.split_once('/')?;
    let id: Uuid = video.parse().ok()?;
    // A UUID can be written in other ways too, but not by us.
    if id.to_string() != video || name.is_empty() {
        return None;
    }
    match area {
        "orig" => Some(Use::Original(id)),
        "media" => Some(Use::Media { video: id, attempt: attempt(name) }),
        _ => None,
    }
}

/// `a1b2c3` of `480p/00012-a1b2c3.m4s`.
fn attempt(name: &str) -> Option<&str> {
    let (stem, _) = name.rsplit_once('.')?;
    let (_, attempt) = stem.rsplit_once('-')?;
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (attempt.len() == 6 && attempt.bytes().all(hex)).then_some(attempt)
}

/// The media type of a stored file by the end of its name (RFC 8216 section 4; Apple's authoring
/// rule 10.4).
pub fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("m3u8") => "application/vnd.apple.mpegurl",
        Some("m4s") => "video/iso.segment",
        Some("mp4") => "video/mp4",
        Some("jpg") => "image/jpeg",
        _ => "application/octet-stream",
    }
}
