//! The bucket: the object storage calls that Reelpin makes, each with a time limit.

mod browser;
mod config;
mod cors;
mod error;
mod flow;
mod objects;
mod once;
mod presign;
mod range;
mod s3;
mod trial;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;

pub use config::{Addressing, Config};
pub use cors::Cors;
pub use error::BucketError;
pub use flow::{Flow, Flowing};
pub use objects::{Content, Head, Listed, Object, Objects, Part};
pub use presign::PresignedPut;
pub use range::PART;
pub use trial::trial;

/// The longest a call without a body of ours may take, retries included.
const CALL: Duration = Duration::from_secs(30);

/// The longest that storing one object may take: 5 GiB at 3 MB/s. A PUT whose sender is gone may
/// still arrive for as long.
pub const STORE: Duration = Duration::from_secs(30 * 60);

/// A client of one bucket. Clones share it.
#[derive(Clone)]
pub struct Bucket {
    objects: Arc<dyn Objects>,
    /// Whether the engine knows `If-None-Match` on a PUT, as far as we know.
    conditional: Arc<AtomicBool>,
}

impl Bucket {
    /// Prepares a client of an S3 server; connects on first use.
    pub fn new(config: &Config) -> Self {
        Self::over(Arc::new(s3::S3::new(config)))
    }

    /// A bucket of another kind.
    pub fn over(objects: Arc<dyn Objects>) -> Self {
        Self { objects, conditional: Arc::new(AtomicBool::new(true)) }
    }

    /// Asks whether the bucket is there and answers us.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn check(&self) -> Result<(), BucketError> {
        self.objects.check().await
    }

    /// Size and ETag of an object; `None` when there is none.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn head(&self, key: &str) -> Result<Option<Head>, BucketError> {
        self.objects.head(key).await
    }

    /// An object, or the bytes `from..=to` of it.
    ///
    /// # Errors
    /// [`BucketError::Missing`] when there is none.
    pub async fn get(&self, key: &str, range: Option<(u64, u64)>) -> Result<Object, BucketError> {
        self.objects.get(key, range).await
    }

    /// A small object whole, at most `limit` bytes.
    ///
    /// # Errors
    /// [`BucketError::TooLarge`], [`BucketError::Missing`], [`BucketError`].
    pub async fn get_bytes(&self, key: &str, limit: u64) -> Result<Bytes, BucketError> {
        let object = self.get(key, None).await?;
        if object.size > limit {
            return Err(BucketError::TooLarge { key: key.to_owned(), size: object.size, limit });
        }
        collected(object).await
    }

    /// A small part of an object: `length` bytes from `offset` on, which lie inside it.
    ///
    /// # Errors
    /// [`BucketError::Answer`] when the server gives another part, [`BucketError::Missing`], [`BucketError`].
    pub async fn get_part(
        &self,
        key: &str,
        offset: u64,
        length: u64,
    ) -> Result<Bytes, BucketError> {
        let last = offset.saturating_add(length).saturating_sub(1);
        let object = self.get(key, Some((offset, last))).await?;
        if object.size != length {
            let what = "it is another range";
            return Err(BucketError::Answer { key: key.to_owned(), what });
        }
        collected(object).await
    }

    /// Stores bytes under a key that only this attempt writes. A key that is there already holds
    /// the same bytes of an earlier try whose answer was lost.
    ///
    /// # Errors
    /// [`BucketError::Taken`] when it holds something else; [`BucketError`].
    pub async fn put(&self, key: &str, bytes: Bytes, kind: &str) -> Result<(), BucketError> {
        self.put_once(key, Content::Bytes(bytes), kind).await
    }

    /// Stores what is made while it is sent, under a key that only this attempt writes.
    ///
    /// # Errors
    /// As [`Bucket::put`]; [`BucketError::Unreachable`] where the flow breaks off, too.
    pub async fn put_flow(&self, key: &str, flow: Flow, kind: &str) -> Result<(), BucketError> {
        self.put_once(key, Content::Flow(flow), kind).await
    }

    async fn put_once(&self, key: &str, content: Content, kind: &str) -> Result<(), BucketError> {
        let once = self.conditional.load(Ordering::Relaxed);
        match self.objects.put(key, &content, kind, once).await {
            Err(BucketError::Refused { status: 501, .. }) if once => {
                tracing::info!("the bucket does not know If-None-Match; keys are written without");
                self.conditional.store(false, Ordering::Relaxed);
                self.objects.put(key, &content, kind, false).await
            }
            Err(e) if e.is_precondition() => match self.head(key).await? {
                Some(stored) if stored.size == content.size() => Ok(()),
                _ => Err(BucketError::Taken { key: key.to_owned() }),
            },
            done => done,
        }
    }

    /// Copies an object within the bucket, if its ETag is still this one.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn copy(&self, from: &str, etag: &str, to: &str) -> Result<(), BucketError> {
        self.objects.copy(from, etag, to).await
    }

    /// Up to 1,000 objects below a prefix, in the order of their keys, those after `after`.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, BucketError> {
        self.objects.list(prefix, after).await
    }

    /// Removes objects; missing ones are no error.
    ///
    /// # Errors
    /// [`BucketError::NotDeleted`] when the server kept some.
    pub async fn delete(&self, keys: &[String]) -> Result<(), BucketError> {
        self.objects.delete(keys).await
    }

    /// Signs a PUT of exactly `size` bytes to `key`, at the endpoint that browsers reach, good for
    /// `valid`. With `once` the signature holds `If-None-Match: *`, so that it cannot replace a
    /// finished upload.
    ///
    /// # Errors
    /// [`BucketError::Request`].
    pub async fn presign_put(
        &self,
        key: &str,
        size: u64,
        valid: Duration,
        once: bool,
    ) -> Result<PresignedPut, BucketError> {
        self.objects.presign_put(key, size, valid, once).await
    }

    /// Lets pages of these origins upload, where the engine has rules for that. It adds one rule of
    /// ours and leaves those of others alone.
    ///
    /// # Errors
    /// [`BucketError`] when the engine is away.
    pub async fn allow_pages(&self, origins: &[String]) -> Result<Cors, BucketError> {
        self.objects.allow_pages(origins).await
    }
}

async fn collected(object: Object) -> Result<Bytes, BucketError> {
    match tokio::time::timeout(CALL, object.body.collect()).await {
        Ok(Ok(bytes)) => Ok(bytes.into_bytes()),
        Ok(Err(e)) => Err(BucketError::Read(e.into())),
        Err(_) => Err(BucketError::TimedOut { call: "GetObject" }),
    }
}
