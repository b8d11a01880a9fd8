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
