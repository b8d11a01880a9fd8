//! The key: a bearer on guarded calls, compared in constant time.

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq as _;

use super::Guard;
use crate::app::Shared;
use crate::problem::{Code, Problem};

/// Lets through what carries the key, or everything where none is set.
pub(crate) async fn require(State(app): State<Shared>, request: Request, next: Next) -> Response {
    match bearer(&app.guard, request.headers()) {
        Some(true) => next.run(request).await,
        Some(false) | None => unauthorized().into_response(),
    }
}

/// Whether the request's bearer is right; `None` when a key is set and the request has none.
pub(crate) fn bearer(guard: &Guard, headers: &HeaderMap) -> Option<bool> {
    if guard.key.is_none() {
        return Some(true);
    }
    let value = headers.get(AUTHORIZATION)?;
    let given = value.to_str().ok().and_then(|value| value.split_once(' '));
    Some(given.is_some_and(|(scheme, key)| {
        scheme.eq_ignore_ascii_case("bearer") && is_right(guard, key.trim())
    }))
}

/// Compares a key with ours; the time it takes tells nothing but its length.
pub(crate) fn is_right(guard: &Guard, given: &str) -> bool {
    match &guard.key {
        Some(key) => key.expose().as_bytes().ct_eq(given.as_bytes()).into(),
        None => true,
    }
}

pub(crate) fn unauthorized() -> Problem {
    Problem::new(
        Code::Unauthorized,
        "This needs the server's API key, and the request has none or a wrong one.",
        "Send it as authorization: Bearer KEY.",
    )
    .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}
