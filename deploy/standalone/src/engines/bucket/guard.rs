//! What stands before the S3 server: which pages may call it, and that no key leaves the bucket.
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::time::Duration;

use reelpin_bucket::Bucket;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{BUCKET, BucketError};

/// Browsers ask once an hour whether they may.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3600);

/// CORS for the given page origins, and for those that the bucket's own rules allow: PUT, GET and HEAD
/// with the headers that uploads and players send.
pub(super) fn cors(origins: &[String], bucket: Bucket) -> Result<CorsLayer, BucketError> {
    let mut allowed = Vec::with_capacity(origins.len());
    for origin in origins {
        let well_formed = origin.split_once("://").is_some_and(|(scheme, host)| {
            matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains('/')
        });
        let value = HeaderValue::from_str(origin).ok().filter(|_| well_formed);
        allowed.push(value.ok_or_else(|| BucketError::Origin { origin: origin.clone() })?);
    }
    let allowed = AllowOrigin::predicate(move |origin: &HeaderValue, request: &Parts| {
        // A preflight asks for another method than its own.
        let asked = request.headers.get(header::ACCESS_CONTROL_REQUEST_METHOD);
        let method = asked.map_or(Ok(request.method.as_str()), HeaderValue::to_str);
        allowed.contains(origin)
            || matches!((origin.to_str(), method), (Ok(origin), Ok(method)) if bucket.allows(origin, method))
    });
    Ok(CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::PUT, Method::GET, Method::HEAD])
        .allow_headers([header::CONTENT_TYPE, header::RANGE, header::IF_NONE_MATCH])
        .expose_headers([
            header::ETAG,
            header::CONTENT_RANGE,
            header::ACCEPT_RANGES,
            HeaderName::from_static("x-amz-request-id"),
        ])
        .max_age(PREFLIGHT_AGE))
}

/// Refuses any path but the bucket's: the answer is the same for whoever tries `..`.
pub(super) async fn keep_within_bucket(request: Request, next: Next) -> Response {
    let source = request.headers().get("x-amz-copy-source");
    let source = source.map(|source| source.to_str().unwrap_or(".."));
    if within_bucket(request.uri().path()) && source.is_none_or(within_bucket) {
        next.run(request).await
    } else {
        (StatusCode::BAD_REQUEST, "no such place in this bucket\n").into_response()
    }
}

/// Whether a path, percent-encoded or not, is `/` or leads to the bucket or a key below it.
fn within_bucket(path: &str) -> bool {
    let Some(path) = percent_decoded(path) else { return false };
    let path = path.strip_prefix('/').unwrap_or(&path);
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let plain = |part: &str| !matches!(part, "." | "..") && !part.contains(['\\', '\0']);
    (bucket == BUCKET || path.is_empty()) && key.split('/').all(plain)
}

/// `None` where the bytes are no UTF-8 or an escape is broken.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%' {
            let [high, low, after @ ..] = after else { return None };
            let digit = |byte: u8| char::from(byte).to_digit(16);
            bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::within_bucket;

    #[test]
    fn keys_stay_in_the_bucket() {
        for good in
            ["/", "/reelpin", "/reelpin/", "/reelpin/orig/a/b..c", "/reelpin/a%20b", "reelpin/k"]
        {
            assert!(within_bucket(good), "{good}");
        }
        for bad in [
            "/other/k",
            "/reelpin/../x",
            "/reelpin/%2e%2E/x",
            "/reelpin/a%2f..%2fx",
            "/%2e%2e/x",
            "/reelpin/a\\b",
            "/reelpin/%00",
            "/reelpin/%+1",
            "/reelpin/%f",
        ] {
            assert!(!within_bucket(bad), "{bad}");
        }
    }
}
