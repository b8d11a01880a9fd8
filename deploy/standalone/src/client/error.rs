//! What can go wrong for the uploading client, and whose fault it is.

use std::{fmt, io, path::PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// A refusal by the server, `application/problem+json`, or the error of a failed video.
#[derive(Debug, Clone, Deserialize)]
pub struct Problem {
    /// Stable name of the reason, such as `size_mismatch`.
    #[serde(default)]
    pub code: String,
    /// One sentence on what happened.
    #[serde(default)]
    pub detail: String,
    /// What to do about it; empty where the server gave none.
    #[serde(default)]
    pub suggestion: String,
}

impl Problem {
    /// The `error` member of a record or the data of a `failed` event.
    pub(super) fn from_value(value: &Value) -> Self {
        Problem::deserialize(value).unwrap_or_else(|_| Problem {
            code: "unknown".into(),
            detail: "the server gave no reason".into(),
            suggestion: String::new(),
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = if self.detail.is_empty() { &self.code } else { &self.detail };
        write!(out, "{detail}")?;
        if !self.suggestion.is_empty() {
            write!(out, " ({})", self.suggestion)?;
        }
        Ok(())
    }
}

/// Why a file did not become a completed video.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The caller's: the address is not one that this client speaks to.
    #[error("{0} is not an address that begins with http://")]
    NotHttp(String),
    /// The caller's: the file cannot be read.
    #[error("{}: {error}", file.display())]
    File {
        /// As named by the caller.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The caller's: the file's size changed while it was being sent.
    #[error("{} changed while it was being uploaded", .0.display())]
    FileChanged(PathBuf),
    /// The server refused a call; final.
    #[error("{problem}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its problem document.
        problem: Problem,
    },
    /// The video failed; final until someone retries it.
    #[error("{0}")]
    Failed(Problem),
    /// Someone cancelled or deleted the video meanwhile.
    #[error("the video was {0} meanwhile")]
    Gone(String),
    /// The bucket refused the PUT.
    #[error("the bucket answered {status} {code}")]
    Bucket {
        /// HTTP status.
        status: u16,
        /// S3's error code, empty where there was none.
        code: String,
    },
    /// The server, the bucket or the network: no answer after every try.
    #[error("no answer from {what}: {}", deepest(error))]
    Unreachable {
        /// `the server` or `the bucket`.
        what: &'static str,
        /// The last failure.
        error: reqwest::Error,
    },
    /// No byte of the upload was taken for [`super::put::STALL`], or an answer took too long.
    #[error("{0} stopped answering")]
    Stalled(&'static str),
    /// The server answered what the contract does not allow.
    #[error("unexpected answer to {call}: {what}")]
    Unexpected {
        /// Method and path.
        call: String,
        /// What was wrong with it.
        what: String,
    },
    /// The client is being stopped.
    #[error("stopped")]
    Stopped,
}

/// reqwest's own message names the URL only; the reason is at the end of the chain.
fn deepest(error: &reqwest::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}
