//! The bucket: the S3 calls that Reelpin makes, each with a time limit.

mod error;
mod once;
mod presign;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use bytes::Bytes;
use tokio::io::AsyncRead;

pub use error::BucketError;
pub use presign::PresignedPut;

use crate::secret::Secret;

/// The longest a call without a body of ours may take, retries included.
const CALL: Duration = Duration::from_secs(30);

/// The longest that storing one object may take: 5 GiB at 3 MB/s.
const STORE: Duration = Duration::from_secs(30 * 60);

/// A body that does not move for this long, either way, has broken off. There is no read timeout
/// beside it: the SDK would count the sending of a body in it.
const STALL: Duration = Duration::from_secs(30);

/// The most keys that one DeleteObjects takes (S3 API reference).
const DELETE_AT_ONCE: usize = 1000;

/// Where the bucket is.
#[derive(Debug, Clone)]
pub struct Config {
    /// URL of the S3 API as the services reach it.
    pub endpoint: String,
    /// URL of the S3 API as browsers reach it.
    pub public_endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The bucket's name.
    pub bucket: String,
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: Secret,
}

/// A client of one bucket. Clones share its connections.
#[derive(Clone)]
pub struct Bucket {
    client: Client,
    public: Client,
    name: String,
    /// Whether the engine knows `If-None-Match` on a PUT, as far as we know.
    conditional: Arc<AtomicBool>,
}

/// What a HEAD tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Bytes.
    pub size: u64,
    /// As the server writes it, with quotes.
    pub etag: String,
}

/// What is to be stored; it may have to be sent twice.
enum Content {
    Bytes(Bytes),
    File(PathBuf),
}

impl Content {
    async fn stream(&self) -> Result<ByteStream, BucketError> {
        match self {
            Self::Bytes(bytes) => Ok(ByteStream::from(bytes.clone())),
            Self::File(path) => {
                ByteStream::from_path(path).await.map_err(|e| BucketError::Read(e.into()))
            }
        }
    }

    async fn size(&self) -> Result<u64, BucketError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::File(path) => {
                let file = tokio::fs::metadata(path).await;
                Ok(file.map_err(|e| BucketError::Read(e.into()))?.len())
            }
        }
    }
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

impl Bucket {
    /// Prepares a client; connects on first use.
    pub fn new(config: &Config) -> Self {
        Self {
            client: client(config, &config.endpoint),
            public: client(config, &config.public_endpoint),
            name: config.bucket.clone(),
            conditional: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Asks whether the bucket is there and answers us.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn check(&self) -> Result<(), BucketError> {
        limited(CALL, "HeadBucket", self.client.head_bucket().bucket(&self.name).send()).await?;
        Ok(())
    }

    /// Size and ETag of an object; `None` when there is none.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn head(&self, key: &str) -> Result<Option<Head>, BucketError> {
        let call = self.client.head_object().bucket(&self.name).key(key).send();
        match limited(CALL, "HeadObject", call).await {
            Ok(head) => Ok(Some(Head {
                size: head.content_length().unwrap_or_default().unsigned_abs(),
                etag: head.e_tag().unwrap_or_default().to_owned(),
            })),
            Err(e) if e.is_missing() => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// An object, or the bytes `from..=to` of it.
    ///
    /// # Errors
    /// [`BucketError::Missing`] when there is none.
    pub async fn get(&self, key: &str, range: Option<(u64, u64)>) -> Result<Object, BucketError> {
        let range = range.map(|(from, to)| format!("bytes={from}-{to}"));
        let call = self.client.get_object().bucket(&self.name).key(key).set_range(range).send();
        let got = limited(CALL, "GetObject", call).await?;
        Ok(Object { size: got.content_length().unwrap_or_default().unsigned_abs(), body: got.body })
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
        let read = tokio::time::timeout(CALL, object.body.collect()).await;
        match read {
            Ok(Ok(bytes)) => Ok(bytes.into_bytes()),
            Ok(Err(e)) => Err(BucketError::Read(e.into())),
            Err(_) => Err(BucketError::TimedOut { call: "GetObject" }),
        }
    }

    /// Stores bytes under a key that only this attempt writes. A key that is there already holds
    /// the same bytes of an earlier try whose answer was lost.
    ///
    /// # Errors
    /// [`BucketError::Taken`] when it holds something else; [`BucketError`].
    pub async fn put(&self, key: &str, bytes: Bytes, kind: &str) -> Result<(), BucketError> {
        self.put_once(key, Content::Bytes(bytes), kind).await
    }

    /// Stores a local file under a key that only this attempt writes.
    ///
    /// # Errors
    /// As [`Bucket::put`], and [`BucketError::Read`].
    pub async fn put_file(&self, key: &str, path: &Path, kind: &str) -> Result<(), BucketError> {
        self.put_once(key, Content::File(path.to_owned()), kind).await
    }

    async fn put_once(&self, key: &str, content: Content, kind: &str) -> Result<(), BucketError> {
        let condition = self.conditional.load(Ordering::Relaxed).then_some("*");
        match self.put_stream(key, content.stream().await?, kind, condition).await {
            Err(BucketError::Refused { status: 501, .. }) if condition.is_some() => {
                tracing::info!("the bucket does not know If-None-Match; keys are written without");
                self.conditional.store(false, Ordering::Relaxed);
                self.put_stream(key, content.stream().await?, kind, None).await
            }
            Err(e) if e.is_precondition() => match self.head(key).await? {
                Some(stored) if stored.size == content.size().await? => Ok(()),
                _ => Err(BucketError::Taken { key: key.to_owned() }),
            },
            done => done,
        }
    }

    async fn put_stream(
        &self,
        key: &str,
        body: ByteStream,
        kind: &str,
        if_none_match: Option<&str>,
    ) -> Result<(), BucketError> {
        let call = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(key)
            .content_type(kind)
            .set_if_none_match(if_none_match.map(str::to_owned))
            .body(body)
            .send();
        limited(STORE, "PutObject", call).await?;
        Ok(())
    }

    /// Copies an object within the bucket, if its ETag is still this one.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn copy(&self, from: &str, etag: &str, to: &str) -> Result<(), BucketError> {
        let call = self
            .client
            .copy_object()
            .bucket(&self.name)
            .copy_source(format!("{}/{from}", self.name))
            .copy_source_if_match(etag)
            .key(to)
            .send();
        limited(STORE, "CopyObject", call).await?;
        Ok(())
    }

    /// Up to 1,000 keys below a prefix.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, BucketError> {
        let call = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).send();
        let listed = limited(CALL, "ListObjectsV2", call).await?;
        Ok(listed.contents().iter().filter_map(|o| o.key().map(str::to_owned)).collect())
    }

    /// Removes objects; missing ones are no error.
    ///
    /// # Errors
    /// [`BucketError::NotDeleted`] when the server kept some.
    pub async fn delete(&self, keys: &[String]) -> Result<(), BucketError> {
        for keys in keys.chunks(DELETE_AT_ONCE) {
            let ids = keys
                .iter()
                .map(|key| ObjectIdentifier::builder().key(key).build())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|e| BucketError::Request(e.into()))?;
            let delete = Delete::builder()
                .set_objects(Some(ids))
                .quiet(true)
                .build()
                .map_err(|e| BucketError::Request(e.into()))?;
            let call = self.client.delete_objects().bucket(&self.name).delete(delete).send();
            let done = limited(CALL, "DeleteObjects", call).await?;
            if let Some(first) = done.errors().first() {
                return Err(BucketError::NotDeleted {
                    key: first.key().unwrap_or_default().to_owned(),
                    why: first.message().unwrap_or_default().to_owned(),
                });
            }
        }
        Ok(())
    }
}

fn client(config: &Config, endpoint: &str) -> Client {
    let credentials = Credentials::new(
        &config.access_key,
        config.secret_key.expose(),
        None,
        None,
        "reelpin settings",
    );
    Client::from_conf(
        aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region(Region::new(config.region.clone()))
            .credentials_provider(credentials)
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(
                TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).build(),
            )
            .stalled_stream_protection(
                StalledStreamProtectionConfig::enabled().grace_period(STALL).build(),
            )
            .build(),
    )
}

/// Waits for a call within its limit.
async fn limited<T, E, F>(limit: Duration, call: &'static str, future: F) -> Result<T, BucketError>
where
    F: Future<Output = Result<T, aws_sdk_s3::error::SdkError<E>>>,
    E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match tokio::time::timeout(limit, future).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(e)) => Err(BucketError::from_sdk(call, e)),
        Err(_) => Err(BucketError::TimedOut { call }),
    }
}
