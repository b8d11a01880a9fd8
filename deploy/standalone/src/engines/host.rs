//! The Host check: a page of another name that resolves to us (DNS rebinding) is refused.
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// The names under which one listener may be addressed.
#[derive(Clone)]
pub(super) struct Hosts(Arc<[String]>);

impl Hosts {
    /// The bound address itself, `localhost` where it is loopback, and the `extra` authorities.
    pub(super) fn of(bound: SocketAddr, extra: &[String]) -> Self {
        let mut names = vec![bound.to_string()];
        if bound.ip().is_loopback() || bound.ip().is_unspecified() {
            let port = bound.port();
            names.extend(["127.0.0.1", "[::1]", "localhost"].map(|host| format!("{host}:{port}")));
        }
        names.extend(extra.iter().map(|name| name.to_ascii_lowercase()));
        Self(names.into())
    }

    fn admit(&self, host: &str) -> bool {
        self.0.iter().any(|name| name.eq_ignore_ascii_case(host))
    }
}

/// Middleware: 421 for a request that names another host.
pub(super) async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let mut hosts_named = request.headers().get_all(header::HOST).iter();
    // Exactly one (RFC 9112, 3.2).
    let named = match (hosts_named.next(), hosts_named.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    };
    if named.is_some_and(|host| hosts.admit(host)) {
        next.run(request).await
    } else {
        (StatusCode::MISDIRECTED_REQUEST, "this server does not answer under that name\n")
            .into_response()
    }
}
