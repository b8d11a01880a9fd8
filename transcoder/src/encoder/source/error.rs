//! What can go wrong while an original is read. None of it is the upload's fault.

use std::sync::Arc;

use reelpin_schema::bucket::BucketError;

use crate::confine::WorkError;

/// Bytes of an original could not be had. Clones share it: all who wait for the same bytes get the
/// same error.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SourceError {
    /// The bucket, after all tries; also when the object is not the one that was uploaded.
    #[error(transparent)]
    Bucket(#[from] Arc<BucketError>),
    /// The cache's files.
    #[error("its cache: {0}")]
    Disk(#[from] Arc<std::io::Error>),
    /// The cache's folder.
    #[error("its cache: {0}")]
    Folder(#[from] Arc<WorkError>),
    /// The server on this machine could not listen.
    #[error("its server: {0}")]
    Listen(Arc<std::io::Error>),
    /// A connection was refused or broke off before it said what it wanted.
    #[error("its server refused a connection")]
    Refused,
    /// Whoever was fetching the bytes is gone: the worker is stopping, or a thread panicked.
    #[error("it is no longer read")]
    Gone,
}

impl SourceError {
    /// Whether the bucket is away or in trouble, which says nothing about the original.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Bucket(e) if e.is_away())
    }

    pub(super) fn disk(e: std::io::Error) -> Self {
        Self::Disk(Arc::new(e))
    }
}
