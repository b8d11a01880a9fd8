//! The Host of every request must be ours: a foreign name that resolves to us (DNS rebinding)
//! would give its pages our origin.

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::GatewayError;
use crate::app::Shared;
use crate::problem::{Code, Problem};

/// Lets through what names one of our hosts.
pub(crate) async fn check(State(app): State<Shared>, request: Request, next: Next) -> Response {
    // An absolute request target takes precedence over the header (RFC 9112, 3.2.2).
    let named = match request.uri().authority() {
        Some(authority) => Some(authority.clone()),
        None => request.headers().get(HOST).and_then(|host| host.as_bytes().try_into().ok()),
    };
    // Exactly one header (RFC 9112, 3.2).
    let once = request.headers().get_all(HOST).iter().count() <= 1;
    if once && named.is_some_and(|named| is_ours(&app.guard.hosts, &named)) {
        return next.run(request).await;
    }
    Problem::new(
        Code::WrongHost,
        "This server does not answer for the host that the request names.",
        "Use the address that REELPIN_PUBLIC_URL names.",
    )
    .into_response()
}

fn is_ours(hosts: &[(String, u16)], named: &Authority) -> bool {
    if named.as_str().contains('@') {
        return false;
    }
    hosts.iter().any(|(host, port)| {
        host.eq_ignore_ascii_case(named.host())
            && match named.port_u16() {
                Some(given) => given == *port,
                // No port: the scheme's own, and whether TLS ended before us we cannot see.
                None => named.port().is_none() && matches!(port, 80 | 443),
            }
    })
}

/// Host and port of a public URL.
pub(super) fn of_url(name: &'static str, url: &str) -> Result<(String, u16), GatewayError> {
    let wrong = || GatewayError::Url { name, url: url.to_owned() };
    let uri: axum::http::Uri = url.parse().map_err(|_| wrong())?;
    let default = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return Err(wrong()),
    };
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    Ok((host.to_ascii_lowercase(), uri.port_u16().unwrap_or(default)))
}
