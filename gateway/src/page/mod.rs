//! The web app's files: `/` and `/app/...`, from one folder, with a strict
//! Content-Security-Policy.

mod files;
mod headers;

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::Response;

use crate::Config;
use crate::app::Shared;
use crate::extract::At;
use crate::problem::{Code, Problem};

/// What pages are served with.
pub(crate) struct Pages {
    files: files::Files,
    headers: HeaderMap,
}

impl Pages {
    pub(crate) fn new(config: &Config) -> Self {
        Self { files: files::Files::new(config.settings.web.clone()), headers: headers::of(config) }
    }
}

/// The page.
pub(crate) async fn index(
    State(app): State<Shared>,
    method: Method,
    request: HeaderMap,
) -> Result<Response, Problem> {
    answer(&app.pages, "index.html", &method, &request).await
}

/// A file of the page.
pub(crate) async fn file(
    State(app): State<Shared>,
    At(path): At<String>,
    method: Method,
    request: HeaderMap,
) -> Result<Response, Problem> {
    answer(&app.pages, &path, &method, &request).await
}

async fn answer(
    pages: &Pages,
    path: &str,
    method: &Method,
    request: &HeaderMap,
) -> Result<Response, Problem> {
    let file = pages.files.get(path).await.ok_or_else(|| {
        Problem::new(Code::FileNotFound, "The page has no such file.", "Go to the page at /.")
    })?;
    Ok(file.answer(method, request, &pages.headers))
}
