//! The headers that every playback answer shares.

use axum::http::HeaderMap;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
};

/// How long an entity may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Its address will never mean anything else.
    Forever,
    /// Its address can come to mean another: ask each time whether it still does.
    Ask,
}

impl Keep {
    const fn value(self) -> &'static str {
        match self {
            Self::Forever => "public, max-age=31536000, immutable",
            Self::Ask => "public, no-cache",
        }
    }
}

/// What is told about an entity.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// Strong, with quotes.
    pub(crate) etag: String,
    pub(crate) kind: &'static str,
    pub(crate) keep: Keep,
    /// `Content-Disposition`.
    pub(crate) disposition: Option<HeaderValue>,
}

impl About {
    /// The headers of 200, 206 and 304 alike.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        set(ETAG, &self.etag);
        set(CACHE_CONTROL, self.keep.value());
        set(CONTENT_TYPE, self.kind);
        set(ACCEPT_RANGES, "bytes");
        if let Some(value) = &self.disposition {
            headers.insert(axum::http::header::CONTENT_DISPOSITION, value.clone());
        }
        headers
    }
}
