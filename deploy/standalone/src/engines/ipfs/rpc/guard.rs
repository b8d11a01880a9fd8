//! Who may call: programs with the credential. A browser never, even with it, since any page could
//! make it call.
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use data_encoding::BASE64;
use subtle::ConstantTimeEq as _;

use super::problem::Problem;

/// The `Authorization` header that callers must send.
#[derive(Clone)]
pub(in super::super) struct Credential(Arc<[u8]>);

impl Credential {
    /// HTTP Basic (RFC 7617).
    pub(in super::super) fn basic(user: &str, password: &str) -> Self {
        let pair = BASE64.encode(format!("{user}:{password}").as_bytes());
        Self(format!("Basic {pair}").into_bytes().into())
    }
}

/// 401 without the credential.
pub(super) async fn check_credential(
    State(credential): State<Credential>,
    request: Request,
    next: Next,
) -> Response {
    let sent = request.headers().get(header::AUTHORIZATION).map_or(&b""[..], |v| v.as_bytes());
    if bool::from(sent.ct_eq(&credential.0)) {
        return next.run(request).await;
    }
    Problem::new(StatusCode::UNAUTHORIZED, "this RPC wants its HTTP Basic credential")
        .into_response()
}

/// 403 for whatever looks like a browser.
pub(super) async fn refuse_browsers(request: Request, next: Next) -> Response {
    if from_browser(request.headers()) {
        return Problem::new(StatusCode::FORBIDDEN, "browsers may not use this RPC")
            .into_response();
    }
    next.run(request).await
}

fn from_browser(headers: &HeaderMap) -> bool {
    let told = |name: &str| matches!(name, "origin" | "referer") || name.starts_with("sec-fetch-");
    let agent = headers.get(header::USER_AGENT).map_or(&b""[..], |agent| agent.as_bytes());
    agent.starts_with(b"Mozilla") || headers.keys().any(|name| told(name.as_str()))
}
