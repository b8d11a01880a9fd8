//! Why an attempt ended without success, and whose fault that is.

use reelpin_plan::{Mismatch, Refusal, fmp4};
use reelpin_schema::bucket::BucketError;
use reelpin_schema::cid::{CidError, DirectoryError};
use reelpin_schema::db::DbError;
use reelpin_schema::failure::Failure;
use reelpin_schema::ipfs::IpfsError;
use reelpin_schema::pinning::ServiceError;
use reelpin_schema::video::StepError;

use crate::confine::{ConfineError, WorkError};
use crate::encoder::source::SourceError;

/// How an attempt failed.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The video's fault: final, and told to its owner.
    #[error("refused: {} ({})", .0.detail, .0.code)]
    Theirs(Failure),
    /// Our fault or an engine's: another attempt may succeed.
    #[error(transparent)]
    Ours(#[from] Cause),
    /// The lease no longer stands, or the video ended: nothing more to do or to say.
    #[error("the lease no longer stands")]
    Lost,
    /// Not now: the task is put off without counting as failed.
    #[error("put off for {0}")]
    Later(time::Duration),
}

/// What is wrong on our side.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The database.
    #[error("database: {0}")]
    Db(#[source] DbError),
    /// The bucket.
    #[error("bucket: {0}")]
    Bucket(#[from] BucketError),
    /// An original cannot be read.
    #[error("the original: {0}")]
    Source(#[from] SourceError),
    /// The IPFS node.
    #[error("IPFS: {0}")]
    Ipfs(#[from] IpfsError),
    /// A pinning service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A media program could not be run, or ended badly.
    #[error("{program}: {source}; it said: {said}")]
    Media {
        /// `ffmpeg` or `ffprobe`.
        program: &'static str,
        /// How it ended.
        source: ConfineError,
        /// The end of its standard error.
        said: String,
    },
    /// Work folders.
    #[error("work folder: {0}")]
    Work(#[from] WorkError),
    /// A local file.
    #[error("local file: {0}")]
    Io(#[from] std::io::Error),
    /// What ffmpeg wrote is not the fragmented MP4 it was asked for.
    #[error("fragmented MP4: {0}")]
    Fmp4(#[from] fmp4::Error),
    /// What ffmpeg wrote is not what was planned.
    #[error("the encode is not as planned: {0}")]
    Mismatch(#[from] Mismatch),
    /// The published folder cannot be put together.
    #[error("published folder: {0}")]
    Folder(#[from] DirectoryError),
    /// A stored content id cannot be read.
    #[error("stored content id: {0}")]
    Cid(#[from] CidError),
    /// A row that must be there is not, or is not whole.
    #[error("{0}")]
    Row(&'static str),
    /// The bytes in the bucket are not those that were probed.
    #[error("the original's checksum is {got}, not {want}")]
    Changed {
        /// What was read now.
        got: String,
        /// What was read when it was probed.
        want: String,
    },
    /// The init segment of this attempt differs from the rendition's.
    #[error("{resolution}: this attempt's init segment differs from the stored one")]
    Init {
        /// Which rung.
        resolution: String,
    },
    /// A media program wrote nothing for so long that it must have hung.
    #[error("the encoder has been silent for 10 minutes")]
    Silent,
    /// A thread of ours panicked.
    #[error("a thread panicked")]
    Panic,
    /// A stored value cannot be read or written as JSON.
    #[error("stored {what}: {source}")]
    Json {
        /// Which value.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
}

impl Cause {
    /// Whether an engine is away or in trouble: this says nothing about the task, which waits for it
    /// without counting an attempt.
    pub(crate) fn is_away(&self) -> bool {
        match self {
            Self::Db(e) => matches!(e, DbError::Unavailable(_) | DbError::Contended { .. }),
            Self::Bucket(e) => e.is_away(),
            Self::Source(e) => e.is_away(),
            Self::Ipfs(e) => matches!(e, IpfsError::Unreachable { .. }),
            _ => false,
        }
    }
}

impl From<DbError> for TaskError {
    fn from(e: DbError) -> Self {
        match e {
            DbError::LeaseLost => Self::Lost,
            e => Self::Ours(Cause::Db(e)),
        }
    }
}

impl From<StepError> for TaskError {
    fn from(e: StepError) -> Self {
        match e {
            StepError::Db(e) => e.into(),
            // The video was cancelled, failed or deleted under us: its tasks ended with it.
            StepError::Missing
            | StepError::Bad(_)
            | StepError::Expired
            | StepError::NothingDead => Self::Lost,
        }
    }
}

impl From<Refusal> for TaskError {
    fn from(r: Refusal) -> Self {
        Self::Theirs(Failure::new(r.code(), sentence(&r.to_string()), sentence(r.suggestion())))
    }
}

/// An error's words as a person reads them: with a capital and a full stop.
fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

macro_rules! ours {
    ($($source:ty),*) => {$(
        impl From<$source> for TaskError {
            fn from(e: $source) -> Self {
                Self::Ours(e.into())
            }
        }
    )*};
}
ours!(
    BucketError,
    IpfsError,
    ServiceError,
    SourceError,
    WorkError,
    std::io::Error,
    fmp4::Error,
    Mismatch,
    DirectoryError,
    CidError
);
