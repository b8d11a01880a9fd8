//! Playback: playlists, segments, MP4s and posters, open to whoever knows a video's id. Originals
//! have keys elsewhere and are never served.
//!
//! A segment's request looks up no row of its own: keys are written once and carry their attempt,
//! so a key below `media/<video>/` is served when the bucket has it and the video is not deleted,
//! which [`alive`] remembers for seconds. An object that no row names (an attempt that lost) can be
//! fetched by whoever guesses its name, and holds nothing but the same film.

pub(crate) mod address;
pub(crate) mod alive;
pub(crate) mod answer;
pub(crate) mod condition;
pub(crate) mod hls;
pub(crate) mod live;
pub(crate) mod mp4;
pub(crate) mod object;
pub(crate) mod poster;
pub(crate) mod sizes;
pub(crate) mod text;

use axum::http::Method;
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// Any site's player may read what is open by id.
pub(crate) fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::any())
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers(AllowHeaders::any())
        .expose_headers([ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG])
        // The same for every origin: nothing that a cache would have to keep apart.
        .vary([])
        .max_age(std::time::Duration::from_secs(24 * 60 * 60))
}
