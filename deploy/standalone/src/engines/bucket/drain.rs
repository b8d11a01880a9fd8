//! Refusals that reach the client: a request's body is read to its end before an early answer.
//!
//! The backend refuses a PUT (412, 403) without reading what comes; the connection would be reset
//! under a client that is still sending, and a browser then tells the page of a broken connection
//! instead of the answer.
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use tokio::sync::Mutex;

/// The longest that the body of a repeated PUT is read, whose signature was good: 5 GiB at 10 MB/s.
const REPEATED: Duration = Duration::from_secs(600);

/// The longest for any other refusal: whoever sends may be a stranger.
const REFUSED: Duration = Duration::from_secs(2);

/// Answers, after what is left of the body was read when the answer is a refusal.
pub(super) async fn before_refusing(request: Request, next: Next) -> Response {
    // Only these carry a body; the backend wants to see that others have none.
    if !request.headers().contains_key(CONTENT_LENGTH) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body.into_data_stream().fuse()));
    let lent = stream::unfold(Arc::clone(&body), |body| async move {
        let piece = body.lock().await.next().await?;
        Some((piece, body))
    });
    let answer = next.run(Request::from_parts(head, Body::from_stream(lent))).await;
    if answer.status().is_client_error() {
        let rest = async {
            let mut body = body.lock().await;
            while let Some(Ok(_)) = body.next().await {}
        };
        // Whoever sends for longer meets the reset.
        let limit = match answer.status() {
            StatusCode::PRECONDITION_FAILED => REPEATED,
            _ => REFUSED,
        };
        let _ = tokio::time::timeout(limit, rest).await;
    }
    answer
}
