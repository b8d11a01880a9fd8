//! Why a video failed, in the words that its owner reads.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A final outcome that a person can act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// Stable, machine readable: `not_a_video`, `upload_expired`, ...
    pub code: String,
    /// One sentence: what is wrong.
    pub detail: String,
    /// What to do about it.
    pub suggestion: String,
}

impl Failure {
    /// A failure of the given code.
    pub fn new(
        code: impl Into<String>,
        detail: impl Into<String>,
        suggestion: impl Into<String>,
    ) -> Self {
        Self { code: code.into(), detail: detail.into(), suggestion: suggestion.into() }
    }

    /// Our own fault, after every retry: the same words for every cause, which the log tells.
    pub fn internal() -> Self {
        Self::new(
            "internal",
            "Something went wrong on our side, and trying again did not help.",
            "Retry the video; if it fails again, the server's log says why.",
        )
    }

    /// Nothing was uploaded before the ticket's last day ended.
    pub fn upload_expired() -> Self {
        Self::new(
            "upload_expired",
            "No file arrived within 24 hours after the upload address had expired.",
            "Upload the file again.",
        )
    }
}
