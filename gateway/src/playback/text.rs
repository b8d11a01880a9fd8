//! Playlists as answers: whole, from memory, gzipped where that is taken. Each encoding is an
//! entity of its own with its own strong ETag.

use std::io::Write as _;

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue, VARY};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::answer::{About, Keep};
use super::condition;

/// The type of every playlist (RFC 8216, section 4).
const PLAYLIST: &str = "application/vnd.apple.mpegurl";

/// A playlist in both encodings.
#[derive(Debug, Clone)]
pub(crate) struct Playlist {
    plain: Bytes,
    gzip: Option<Bytes>,
    /// Without quotes; of the plain form.
    tag: String,
}

impl Playlist {
    /// `tag` names these bytes for ever, without quotes.
    pub(crate) fn new(plain: Bytes, tag: String) -> Self {
        Self { gzip: gzip(&plain), plain, tag }
    }

    /// Answers a GET or HEAD.
    pub(crate) fn answer(&self, method: &Method, request: &HeaderMap, keep: Keep) -> Response {
        let zipped = self.gzip.as_ref().filter(|_| condition::takes_gzip(request));
        let (bytes, etag) = match zipped {
            Some(bytes) => (bytes, format!("\"{}.gz\"", self.tag)),
            None => (&self.plain, format!("\"{}\"", self.tag)),
        };
        let about = About { etag, kind: PLAYLIST, keep, disposition: None };
        let mut headers = about.headers();
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        headers.remove(axum::http::header::ACCEPT_RANGES);
        if condition::has_it(request, &about.etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        if zipped.is_some() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.insert(CONTENT_LENGTH, bytes.len().into());
        let body = if method == Method::HEAD { Body::empty() } else { Body::from(bytes.clone()) };
        (headers, body).into_response()
    }
}

/// The gzipped form, when it is smaller.
pub(crate) fn gzip(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    encoder.write_all(plain).ok()?;
    let zipped = encoder.finish().ok()?;
    (zipped.len() < plain.len()).then(|| Bytes::from(zipped))
}
