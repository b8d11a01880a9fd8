//! Whatever changes something, and the feed, is refused to pages of other origins: a browser
//! would send it along without asking.

use axum::extract::{Request, State};
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Guard;
use crate::app::Shared;
use crate::problem::{Code, Problem};

/// Lets through what only reads, what no browser sent, and what our own page sent.
pub(crate) async fn check(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !reads && let Err(problem) = refuse_foreign(&app.guard, request.headers()) {
        return problem.into_response();
    }
    next.run(request).await
}

/// Refuses a foreign `Origin`, and what a browser says comes from another origin.
pub(crate) fn refuse_foreign(guard: &Guard, headers: &HeaderMap) -> Result<(), Problem> {
    let foreign_origin = headers.get_all(ORIGIN).iter().any(|origin| {
        origin.to_str().map_or(true, |origin| !guard.origins.contains(&normal(origin)))
    });
    let elsewhere =
        headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    if foreign_origin || elsewhere {
        return Err(Problem::new(
            Code::ForeignOrigin,
            "The request comes from a page of another site.",
            "Use this server's own page, or call the API from outside of a browser.",
        ));
    }
    Ok(())
}

/// Scheme, host and port of a public URL.
pub(super) fn of_url(url: &str) -> String {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let end = url[after_scheme..].find('/').map_or(url.len(), |at| after_scheme + at);
    normal(&url[..end])
}

/// An origin as browsers write it: lower case, without the scheme's own port.
pub(super) fn normal(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    for (scheme, port) in [("http://", ":80"), ("https://", ":443")] {
        if origin.starts_with(scheme)
            && let Some(short) = origin.strip_suffix(port)
        {
            return short.to_owned();
        }
    }
    origin
}
