//! What can go wrong with the bucket. All of it is ours or the engine's.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// An error of the S3 server or of the way to it.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// There is no such object.
    #[error("{call}: there is no such object")]
    Missing {
        /// The S3 call.
        call: &'static str,
    },
    /// A condition of the call does not hold: the object is there already, or is another one.
    #[error("{call}: the object is not in the expected state")]
    Precondition {
        /// The S3 call.
        call: &'static str,
    },
    /// The server refused.
    #[error("{call}: the server answered {status} {code}")]
    Refused {
        /// The S3 call.
        call: &'static str,
        /// HTTP status.
        status: u16,
        /// The error's code in S3's words.
        code: String,
    },
    /// The server could not be reached, or broke off.
    #[error("{call}: {source}")]
    Unreachable {
        /// The S3 call.
        call: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No answer in time.
    #[error("{call}: no answer in time")]
    TimedOut {
        /// The S3 call.
        call: &'static str,
    },
    /// A body broke off, or a local file could not be read.
    #[error("reading failed: {0}")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An object is larger than expected.
    #[error("{key} has {size} bytes, more than {limit}")]
    TooLarge {
        /// Its key.
        key: String,
        /// Bytes.
        size: u64,
        /// The most expected.
        limit: u64,
    },
    /// An object is no longer the one that was asked for: its ETag or its size is another.
    #[error("{key} is no longer the same object: its {what} is another")]
    Replaced {
        /// Its key.
        key: String,
        /// What tells.
        what: &'static str,
    },
    /// An answer is not one to what was asked.
    #[error("{key}: the server's answer is wrong: {what}")]
    Answer {
        /// The object's key.
        key: String,
        /// What is wrong.
        what: &'static str,
    },
    /// A request could not be put together.
    #[error("a request could not be made: {0}")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A key that only one attempt writes holds something else.
    #[error("{key} is there already, with other bytes")]
    Taken {
        /// The key.
        key: String,
    },
    /// DeleteObjects kept something.
    #[error("{key} was not deleted: {why}")]
    NotDeleted {
        /// Its key.
        key: String,
        /// The server's words.
        why: String,
    },
}

impl BucketError {
    /// Whether the object is not there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    /// Whether a condition of the call did not hold.
    pub fn is_precondition(&self) -> bool {
        matches!(self, Self::Precondition { .. })
    }

    /// Whether the engine is away or in trouble, which says nothing about what was asked of it.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Read(_) => true,
            Self::Refused { status, .. } => *status >= 500 || *status == 429,
            Self::Missing { .. }
            | Self::Precondition { .. }
            | Self::TooLarge { .. }
            | Self::Replaced { .. }
            | Self::Answer { .. }
            | Self::Request(_)
            | Self::Taken { .. }
            | Self::NotDeleted { .. } => false,
        }
    }

    pub(super) fn from_sdk<E>(call: &'static str, e: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let Some(answer) = e.raw_response() else {
            return Self::Unreachable { call, source: e.into() };
        };
        let status = answer.status().as_u16();
        match (status, e.code().unwrap_or_default()) {
            (404, _) | (_, "NoSuchKey") => Self::Missing { call },
            (412, _) => Self::Precondition { call },
            (status, code) => Self::Refused { call, status, code: code.to_owned() },
        }
    }
}
