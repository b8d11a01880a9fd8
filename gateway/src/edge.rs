//! What every request passes on its way in and out: an id, the log, the metrics, a net for
//! panics, and the words of a problem.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tokio::time::Instant;
use uuid::Uuid;

use crate::metrics;
use crate::problem::Problem;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A handler panicked.
#[derive(Debug, thiserror::Error)]
#[error("a handler panicked: {0}")]
struct Panicked(String);

/// The outermost layer.
pub(crate) async fn edge(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    // The template, never the path itself: addresses can hold what should not be logged.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|panic| {
        let words = panic
            .downcast_ref::<&str>()
            .map(|words| (*words).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Problem::internal(Panicked(words)).into_response()
    });
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        report(&problem, &id);
        write(&mut response, &problem, &id, &method);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let took = started.elapsed();
    let status = response.status().as_u16();
    metrics::request(&method, &route, status, took);
    log(&method, &route, status, took, &id);
    response
}

fn log(method: &Method, route: &str, status: u16, took: Duration, id: &str) {
    let elapsed_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(request.id = id, elapsed_ms, "{method} {route} {status}");
}

/// Ours is told once, here; theirs is only worth a line to who looks for it.
fn report(problem: &Problem, id: &str) {
    match &problem.cause {
        Some(cause) => {
            tracing::error!(request.id = id, code = problem.code.name(), "request failed: {cause}");
        }
        None => tracing::debug!(request.id = id, code = problem.code.name(), "request refused"),
    }
}

fn write(response: &mut Response, problem: &Problem, id: &str, method: &Method) {
    let bytes = serde_json::to_vec(&problem.document(id.to_owned())).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    // No cache may keep a refusal: what is missing now can be there in a second.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_LENGTH, bytes.len().into());
    *response.body_mut() = if method == Method::HEAD { Body::empty() } else { Body::from(bytes) };
}

/// The caller's own id when it is a plain one, so that a proxy's log and ours can be joined.
fn request_id(headers: &HeaderMap) -> String {
    headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| (8..=64).contains(&id.len()))
        .filter(|id| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'))
        .map_or_else(|| Uuid::new_v4().simple().to_string(), str::to_owned)
}
