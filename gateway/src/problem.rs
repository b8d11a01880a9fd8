//! Every refusal: its stable code, its status and its words (RFC 9457). The only file where an
//! error meets an HTTP status.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use reelpin_schema::bucket::BucketError;
use reelpin_schema::db::DbError;
use reelpin_schema::video::{Status, StepError};
use serde::Serialize;
use utoipa::ToSchema;

macro_rules! codes {
    ($($variant:ident = $name:literal, $status:ident, $title:literal;)*) => {
        /// Stable, machine-readable names of everything that a request can be refused for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Code { $(#[doc = $title] $variant),* }

        impl Code {
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),* }
            }

            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }
        }
    };
}

codes! {
    BadJson = "bad_json", BAD_REQUEST, "The request's JSON cannot be used";
    BadQuery = "bad_query", BAD_REQUEST, "The address's query cannot be used";
    BadField = "bad_field", BAD_REQUEST, "A field cannot be used";
    BadCursor = "bad_cursor", BAD_REQUEST, "The cursor is not one of ours";
    Unauthorized = "unauthorized", UNAUTHORIZED, "The key is missing or wrong";
    ForeignOrigin = "foreign_origin", FORBIDDEN, "Another site's page may not do this";
    RouteNotFound = "route_not_found", NOT_FOUND, "There is nothing at this address";
    VideoNotFound = "video_not_found", NOT_FOUND, "There is no such video";
    FileNotFound = "file_not_found", NOT_FOUND, "There is no such file";
    NotPlayableYet = "not_playable_yet", NOT_FOUND, "The video cannot be played yet";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "This method does not exist here";
    BodyTooSlow = "body_too_slow", REQUEST_TIMEOUT, "The request took too long to arrive";
    UploadMissing = "upload_missing", CONFLICT, "The upload has not arrived";
    SizeMismatch = "size_mismatch", CONFLICT, "The upload has another size than declared";
    VideoEnded = "video_ended", CONFLICT, "The video has ended";
    NothingToCancel = "nothing_to_cancel", CONFLICT, "There is nothing to cancel";
    NothingToRetry = "nothing_to_retry", CONFLICT, "There is nothing to retry";
    VideoDeleted = "video_deleted", GONE, "The video was deleted";
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "The file is too large";
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The request is too large";
    NotJson = "not_json", UNSUPPORTED_MEDIA_TYPE, "The request is not JSON";
    BadRange = "bad_range", RANGE_NOT_SATISFIABLE, "The range is outside of the file";
    WrongHost = "wrong_host", MISDIRECTED_REQUEST, "This server does not answer for that host";
    NotAVideo = "not_a_video", UNPROCESSABLE_ENTITY, "The file is not a video";
    UpgradeRequired = "upgrade_required", UPGRADE_REQUIRED, "This address speaks WebSocket";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong on our side";
    Busy = "busy", SERVICE_UNAVAILABLE, "The server is busy";
    MadeAnew = "made_anew", SERVICE_UNAVAILABLE, "A part of the video is made anew";
    NotReady = "not_ready", SERVICE_UNAVAILABLE, "The server is not ready";
}

/// `application/problem+json`, as every refusal is answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document {
    /// Always `about:blank`: the code says which.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) title: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// Stable; for programs.
    pub(crate) code: &'static str,
    /// One sentence for people.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) suggestion: String,
    /// Names this request in the server's log.
    pub(crate) request_id: String,
}

/// A refusal on its way to the edge, which adds the request's id and logs it.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) detail: Cow<'static, str>,
    pub(crate) suggestion: Cow<'static, str>,
    /// Ours: what the log is told and nobody else.
    pub(crate) cause: Option<Arc<dyn Error + Send + Sync>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(
        code: Code,
        detail: impl Into<Cow<'static, str>>,
        suggestion: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            code,
            detail: detail.into(),
            suggestion: suggestion.into(),
            cause: None,
            headers: Vec::new(),
        }
    }

    /// A fault of ours that trying again will not mend.
    pub(crate) fn internal(cause: impl Error + Send + Sync + 'static) -> Self {
        let mut problem = Self::new(
            Code::Internal,
            "Something went wrong on our side.",
            "Try again; if it stays so, the server's log has this request's id.",
        );
        problem.cause = Some(Arc::new(cause));
        problem
    }

    /// A fault of ours that will pass.
    pub(crate) fn busy(cause: impl Error + Send + Sync + 'static) -> Self {
        let mut problem = Self::new(
            Code::Busy,
            "Something that this server needs does not answer.",
            "Try again in a few seconds.",
        );
        problem.cause = Some(Arc::new(cause));
        problem.with(axum::http::header::RETRY_AFTER, HeaderValue::from_static("5"))
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn video_not_found() -> Self {
        Self::new(
            Code::VideoNotFound,
            "There is no video with this id.",
            "Check the address; the list of videos has every id.",
        )
    }

    pub(crate) fn video_deleted() -> Self {
        Self::new(
            Code::VideoDeleted,
            "This video was deleted.",
            "Upload it again if you still have the file.",
        )
    }

    pub(crate) fn file_not_found() -> Self {
        Self::new(
            Code::FileNotFound,
            "This video has no such file.",
            "Take the addresses from the video's record.",
        )
    }

    pub(crate) fn field(name: &'static str, what: impl std::fmt::Display) -> Self {
        Self::new(Code::BadField, format!("{name} {what}."), "Correct the field and send it again.")
    }

    pub(crate) fn document(&self, request_id: String) -> Document {
        Document {
            kind: "about:blank",
            title: self.code.title(),
            status: self.code.status().as_u16(),
            code: self.code.name(),
            detail: self.detail.clone().into_owned(),
            suggestion: self.suggestion.clone().into_owned(),
            request_id,
        }
    }
}

impl IntoResponse for Problem {
    /// The body is written at the edge, which knows the request's id.
    fn into_response(mut self) -> Response {
        let mut response = self.code.status().into_response();
        for (name, value) in self.headers.drain(..) {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<DbError> for Problem {
    fn from(e: DbError) -> Self {
        match e {
            DbError::Unavailable(_) | DbError::Contended { .. } => Self::busy(e),
            DbError::Url(_)
            | DbError::Sql(_)
            | DbError::Stale { .. }
            | DbError::LeaseLost
            | DbError::Aborted
            | DbError::Stored { .. }
            | DbError::Word { .. }
            | DbError::Newer(_) => Self::internal(e),
        }
    }
}

impl From<BucketError> for Problem {
    fn from(e: BucketError) -> Self {
        match e {
            BucketError::Unreachable { .. } | BucketError::TimedOut { .. } => Self::busy(e),
            BucketError::Missing { .. }
            | BucketError::Precondition { .. }
            | BucketError::Refused { .. }
            | BucketError::Read(_)
            | BucketError::TooLarge { .. }
            | BucketError::Replaced { .. }
            | BucketError::Answer { .. }
            | BucketError::Request(_)
            | BucketError::Taken { .. }
            | BucketError::NotDeleted { .. } => Self::internal(e),
        }
    }
}

impl From<StepError> for Problem {
    fn from(e: StepError) -> Self {
        match e {
            StepError::Missing => Self::video_not_found(),
            StepError::Expired => Self::new(
                Code::NothingToRetry,
                "There is no stored file that could be tried again.",
                "Upload the file again.",
            ),
            StepError::NothingDead => Self::new(
                Code::NothingToRetry,
                "Nothing of this video was given up.",
                "Wait for what is still at work; its record says what that is.",
            ),
            StepError::Bad(bad) if bad.from == Status::Deleted => Self::video_deleted(),
            StepError::Bad(bad) => {
                let (code, suggestion) = match bad.to {
                    Status::Cancelled => {
                        (Code::NothingToCancel, "Delete the video if it is not wanted.")
                    }
                    Status::Uploaded | Status::Processing
                        if !matches!(bad.from, Status::Failed | Status::Cancelled) =>
                    {
                        (Code::NothingToRetry, "Only a failed or cancelled video can be retried.")
                    }
                    Status::Pending
                    | Status::Uploaded
                    | Status::Processing
                    | Status::Playable
                    | Status::Completed
                    | Status::Failed
                    | Status::Deleted => (Code::VideoEnded, "Retry the video, or upload it again."),
                };
                Self::new(code, format!("The video is {}.", bad.from.name()), suggestion)
            }
            StepError::Db(e) => e.into(),
        }
    }
}
