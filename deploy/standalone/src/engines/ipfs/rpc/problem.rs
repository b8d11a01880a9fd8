//! Errors as Kubo sends them: `{"Message", "Code", "Type"}`, mostly with status 500.
use axum::Json;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::file::FileError;
use super::super::node::NodeError;
use super::super::resolve::ResolveError;

/// An error for the caller.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    message: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// The caller's arguments make no sense.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// The call was understood and did not succeed.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    pub(super) async fn no_such_call(uri: Uri) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no call {}", uri.path()))
    }

    pub(super) async fn post_only() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "calls are made by POST")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({ "Message": self.message, "Code": 0, "Type": "error" });
        (self.status, Json(body)).into_response()
    }
}

impl From<NodeError> for Problem {
    fn from(error: NodeError) -> Self {
        if matches!(error, NodeError::Failed(_) | NodeError::Disk(_)) {
            tracing::error!(%error, "the IPFS node failed");
        }
        Self::failed(error.to_string())
    }
}

impl From<ResolveError> for Problem {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Node(error) => error.into(),
            other => Self::failed(other.to_string()),
        }
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Node(error) => error.into(),
            other => Self::failed(other.to_string()),
        }
    }
}
