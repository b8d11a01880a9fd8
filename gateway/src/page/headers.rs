//! What a page of ours may do, told to the browser.

use axum::http::HeaderMap;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};

use crate::Config;
use crate::pages;

/// The headers of every file of the page.
pub(super) fn of(config: &Config) -> HeaderMap {
    let origin = |url: &str| pages::origin(url).unwrap_or_default();
    let media = origin(&config.settings.media_url);
    let bucket = origin(&config.upload_endpoint);
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: {media}; \
         connect-src 'self' {bucket} {media}; media-src 'self' blob: {media}; \
         worker-src 'self' blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    let mut headers = HeaderMap::new();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        // Asked for again each time, answered by 304: a new version is there at once.
        (CACHE_CONTROL, "no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}
