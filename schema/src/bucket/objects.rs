//! What a bucket is made of: the calls that every kind of it answers.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use time::OffsetDateTime;
use tokio::io::AsyncRead;

use super::{BucketError, Cors, Flow, PresignedPut};

/// The calls of an object storage, each an effect of its own, with a time limit of its own.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Whether the bucket is there and answers us.
    async fn check(&self) -> Result<(), BucketError>;

    /// Size and ETag; `None` when there is no such object.
    async fn head(&self, key: &str) -> Result<Option<Head>, BucketError>;

    /// An object, or the bytes `from..=to` of it.
    async fn get(&self, key: &str, range: Option<(u64, u64)>) -> Result<Object, BucketError>;

    /// The bytes `from..=to` of an object whose ETag is `etag`, else [`BucketError::Precondition`]
    /// where the server knows conditions. What it says of its answer comes unchecked.
    async fn get_range(
        &self,
        key: &str,
        range: (u64, u64),
        etag: &str,
    ) -> Result<Part, BucketError>;

    /// Stores an object; with `once` only where none is, else [`BucketError::Precondition`].
    async fn put(
        &self,
        key: &str,
        content: &Content,
        kind: &str,
        once: bool,
    ) -> Result<(), BucketError>;

    /// Copies an object, if its ETag is this one.
    async fn copy(&self, from: &str, etag: &str, to: &str) -> Result<(), BucketError>;

    /// Up to 1,000 objects below `prefix` whose keys come after `after`, in the order of keys.
    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<Listed>, BucketError>;

    /// Removes objects; missing ones are no error.
    async fn delete(&self, keys: &[String]) -> Result<(), BucketError>;

    /// Signs a PUT of exactly `size` bytes, good for `valid`.
    async fn presign_put(
        &self,
        key: &str,
        size: u64,
        valid: Duration,
        once: bool,
    ) -> Result<PresignedPut, BucketError>;

    /// Whether a second PUT to the same presigned address is answered by 412, found out by trying.
    async fn honours_once(&self) -> Result<bool, BucketError>;

    /// Lets pages of these origins upload; a bucket without rules for that has nothing to set.
    async fn allow_pages(&self, _origins: &[String]) -> Result<Cors, BucketError> {
        Ok(Cors::Unknown)
    }
}

/// What a HEAD tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Bytes.
    pub size: u64,
    /// As the server writes it, with quotes.
    pub etag: String,
}

/// An object as a listing tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was stored, by the engine's clock.
    pub modified: Option<OffsetDateTime>,
}

/// What is to be stored; it may have to be sent twice.
pub enum Content {
    /// Bytes at hand.
    Bytes(Bytes),
    /// Bytes that are made while they are sent.
    Flow(Flow),
}

impl Content {
    pub(super) fn stream(&self) -> ByteStream {
        match self {
            Self::Bytes(bytes) => ByteStream::from(bytes.clone()),
            Self::Flow(flow) => flow.stream(),
        }
    }

    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Flow(flow) => flow.size(),
        }
    }
}

/// A part of an object, as the server describes it.
pub struct Part {
    /// Content-Range, as it was written.
    pub range: Option<String>,
    /// The object's ETag, with quotes.
    pub etag: Option<String>,
    /// The bytes, to be read once.
    pub body: ByteStream,
}

/// A part of an object, or all of it.
pub struct Object {
    /// Bytes of this answer.
    pub size: u64,
    /// The bytes, to be read once.
    pub body: ByteStream,
}

impl Object {
    /// The bytes as a reader.
    pub fn into_reader(self) -> impl AsyncRead + Send + Unpin {
        self.body.into_async_read()
    }
}
