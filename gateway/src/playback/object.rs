//! Serving a stored object: whole or by range, streamed from the bucket.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use reelpin_schema::bucket::BucketError;
use tokio_util::io::ReaderStream;

use super::answer::About;
use super::condition::{self, Asked};
use super::sizes;
use crate::app::App;
use crate::problem::{Code, Problem};

/// Bytes read from the bucket at a time.
const CHUNK: usize = 64 * 1024;

/// Answers a GET or HEAD for the object at `key`.
pub(crate) async fn serve(
    app: &App,
    method: &Method,
    request: &HeaderMap,
    key: &str,
    about: &About,
) -> Result<Response, Problem> {
    if condition::has_it(request, &about.etag) {
        sizes::of(app, key).await?;
        return Ok((StatusCode::NOT_MODIFIED, about.headers()).into_response());
    }
    if method != Method::HEAD && !condition::wants_range(request) {
        return whole(app, key, about).await;
    }
    let size = sizes::of(app, key).await?;
    // A range has a meaning for GET alone (RFC 9110, 14.2).
    let asked = match *method {
        Method::HEAD => Asked::Whole,
        _ => condition::asked(request, &about.etag, size),
    };
    let mut headers = about.headers();
    match asked {
        Asked::Whole if method == Method::HEAD => {
            headers.insert(CONTENT_LENGTH, size.into());
            Ok((headers, Body::empty()).into_response())
        }
        Asked::Whole => whole(app, key, about).await,
        Asked::Part { from, to } => {
            let object = app.engines.bucket.get(key, Some((from, to))).await.map_err(missing)?;
            headers.insert(CONTENT_LENGTH, (to - from + 1).into());
            headers.insert(CONTENT_RANGE, value(&format!("bytes {from}-{to}/{size}")));
            let body = Body::from_stream(ReaderStream::with_capacity(object.into_reader(), CHUNK));
            Ok((StatusCode::PARTIAL_CONTENT, headers, body).into_response())
        }
        Asked::Outside => Err(Problem::new(
            Code::BadRange,
            format!("The file has {size} bytes, and the range begins behind them."),
            "Ask for a range within the file.",
        )
        .with(CONTENT_RANGE, value(&format!("bytes */{size}")))),
    }
}

async fn whole(app: &App, key: &str, about: &About) -> Result<Response, Problem> {
    let object = app.engines.bucket.get(key, None).await.map_err(missing)?;
    app.sizes.put(key, object.size);
    let mut headers = about.headers();
    headers.insert(CONTENT_LENGTH, object.size.into());
    let body = Body::from_stream(ReaderStream::with_capacity(object.into_reader(), CHUNK));
    Ok((headers, body).into_response())
}

/// No object is the client's wrong address; everything else is ours.
pub(crate) fn missing(e: BucketError) -> Problem {
    if e.is_missing() { Problem::file_not_found() } else { e.into() }
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
