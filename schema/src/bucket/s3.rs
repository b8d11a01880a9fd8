//! The bucket behind any S3 API.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use time::OffsetDateTime;

use super::{
    Addressing, BucketError, Config, Content, Cors, Head, Listed, Object, Objects, Part,
    PresignedPut,
};

/// The longest a call without a body of ours may take, retries included.
const CALL: Duration = super::CALL;

/// A body that does not move for this long, either way, has broken off. There is no read timeout
/// beside it: the SDK would count the sending of a body in it.
const STALL: Duration = Duration::from_secs(30);

/// The most keys that one DeleteObjects takes (S3 API reference).
const DELETE_AT_ONCE: usize = 1000;

/// A client of one bucket of an S3 server.
pub(super) struct S3 {
    pub(super) client: Client,
    pub(super) public: Client,
    pub(super) name: String,
}

impl S3 {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            client: client(config, &config.endpoint),
            public: client(config, &config.public_endpoint),
            name: config.bucket.clone(),
        }
    }
}

#[async_trait]
impl Objects for S3 {
    async fn check(&self) -> Result<(), BucketError> {
        limited(CALL, "HeadBucket", self.client.head_bucket().bucket(&self.name).send()).await?;
        Ok(())
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, BucketError> {
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

    async fn get(&self, key: &str, range: Option<(u64, u64)>) -> Result<Object, BucketError> {
        let range = range.map(|(from, to)| format!("bytes={from}-{to}"));
        let call = self.client.get_object().bucket(&self.name).key(key).set_range(range).send();
        let got = limited(CALL, "GetObject", call).await?;
        Ok(Object { size: got.content_length().unwrap_or_default().unsigned_abs(), body: got.body })
    }

    async fn get_range(
        &self,
        key: &str,
        (from, to): (u64, u64),
        etag: &str,
    ) -> Result<Part, BucketError> {
        let call = self
            .client
            .get_object()
            .bucket(&self.name)
            .key(key)
            .range(format!("bytes={from}-{to}"))
            .if_match(etag)
            .send();
        let got = limited(CALL, "GetObject", call).await?;
        Ok(Part { range: got.content_range, etag: got.e_tag, body: got.body })
    }

    async fn put(
        &self,
        key: &str,
        content: &Content,
        kind: &str,
        once: bool,
    ) -> Result<(), BucketError> {
        let call = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(key)
            .content_type(kind)
            .set_if_none_match(once.then(|| "*".to_owned()))
            .content_length(content.size().cast_signed())
            .body(content.stream())
            .send();
        limited(super::STORE, "PutObject", call).await?;
        Ok(())
    }

    async fn copy(&self, from: &str, etag: &str, to: &str) -> Result<(), BucketError> {
        let call = self
            .client
            .copy_object()
            .bucket(&self.name)
            .copy_source(format!("{}/{from}", self.name))
            .copy_source_if_match(etag)
            .key(to)
            .send();
        limited(super::STORE, "CopyObject", call).await?;
        Ok(())
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<Listed>, BucketError> {
        let call = self
            .client
            .list_objects_v2()
            .bucket(&self.name)
            .prefix(prefix)
            .set_start_after(after.map(str::to_owned))
            .send();
        let listed = limited(CALL, "ListObjectsV2", call).await?;
        let listed = listed.contents().iter().filter_map(|object| {
            Some(Listed {
                key: object.key()?.to_owned(),
                size: object.size().unwrap_or_default().unsigned_abs(),
                modified: object.last_modified().and_then(modified),
            })
        });
        Ok(listed.collect())
    }

    async fn delete(&self, keys: &[String]) -> Result<(), BucketError> {
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

    async fn presign_put(
        &self,
        key: &str,
        size: u64,
        valid: Duration,
        once: bool,
    ) -> Result<PresignedPut, BucketError> {
        super::presign::put(self, key, size, valid, once).await
    }

    async fn honours_once(&self) -> Result<bool, BucketError> {
        super::once::honoured(self).await
    }

    async fn allow_pages(&self, origins: &[String]) -> Result<Cors, BucketError> {
        super::cors::allow(self, origins).await
    }
}

fn modified(time: &DateTime) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(time.secs()).ok()
}

fn client(config: &Config, endpoint: &str) -> Client {
    let credentials = Credentials::new(
        &config.access_key,
        config.secret_key.expose(),
        config.session_token.as_ref().map(|token| token.expose().to_owned()),
        None,
        "reelpin settings",
    );
    Client::from_conf(
        aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region(Region::new(config.region.clone()))
            .credentials_provider(credentials)
            .force_path_style(config.addressing == Addressing::Path)
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
pub(super) async fn limited<T, E, F>(
    limit: Duration,
    call: &'static str,
    future: F,
) -> Result<T, BucketError>
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
