//! Reading requests within limits; whatever cannot be read is a problem.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::{Code, Problem};

/// The most bytes of a JSON body; the longest description takes a third of it.
pub(crate) const BODY: usize = 64 * 1024;

/// The longest that a JSON body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(10);

/// Parts of the path. What is not an id names no video.
pub(crate) struct At<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(value)| Self(value)).map_err(|_| Problem::video_not_found())
    }
}

/// The query of the address.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::from_request_parts(parts, state).await;
        query.map(|Query(value)| Self(value)).map_err(|e| {
            Problem::new(
                Code::BadQuery,
                format!("The query cannot be used: {}.", e.body_text()),
                "Correct the address.",
            )
        })
    }
}

/// A JSON body.
pub(crate) struct Sent<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            return Err(Problem::new(
                Code::NotJson,
                "The request does not say that it is JSON.",
                "Send it with content-type: application/json.",
            ));
        }
        let bytes = tokio::time::timeout(BODY_WAIT, Bytes::from_request(request, state))
            .await
            .map_err(|_| too_slow())?
            .map_err(|e| unread(&e))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|e| {
            Problem::new(
                Code::BadJson,
                format!("The JSON cannot be used: {e}."),
                "Correct the request; /openapi.json describes it.",
            )
        })
    }
}

fn too_slow() -> Problem {
    Problem::new(
        Code::BodyTooSlow,
        "The request's body did not arrive within 10 seconds.",
        "Send it again over a better connection.",
    )
}

fn unread(e: &BytesRejection) -> Problem {
    match e {
        BytesRejection::FailedToBufferBody(
            axum::extract::rejection::FailedToBufferBody::LengthLimitError(_),
        ) => Problem::new(
            Code::BodyTooLarge,
            format!("The request's body has more than {BODY} bytes."),
            "Shorten the texts in it.",
        ),
        _ => Problem::new(Code::BadJson, "The request's body broke off.", "Send it again."),
    }
}
