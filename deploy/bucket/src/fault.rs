//! Errors on their way to the client: theirs by code, ours logged and hidden.
use std::io;

use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

/// What the disk said, as an answer: a full disk is told, anything else only logged.
pub(crate) fn ours(error: io::Error) -> S3Error {
    tracing::error!(%error, "the bucket's folder failed");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            named("InsufficientStorage", 507, "no room is left on the bucket's disk")
        }
        _ => s3_error!(InternalError),
    }
}

/// A key below an object, or an object's key where a folder of others stands.
pub(crate) fn in_the_way() -> S3Error {
    named(
        "KeyConflict",
        409,
        "an object cannot have others below its key: one of them is stored already",
    )
}

/// An error with a code that S3 does not have.
fn named(code: &'static str, status: u16, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    if let Ok(status) = status.try_into() {
        error.set_status_code(status);
    }
    error
}

/// Runs `work`, which may wait for the disk, on a thread that may wait.
///
/// Dropping the future does not end it: it goes on to its end, and what it holds is then dropped.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> S3Result<T> + Send + 'static,
) -> S3Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => {
            tracing::error!(%error, "a thread of the bucket ended");
            Err(s3_error!(InternalError))
        }
    }
}
