//! Whether the engine honours `If-None-Match: *` on a presigned PUT, found out by trying it.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::config::http::HttpRequest;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::HttpConnector;
use uuid::Uuid;

use super::s3::S3;
use super::{Bucket, BucketError, Objects as _};
use crate::keys;

/// The longest that one of the two PUTs may take.
const TRY: Duration = Duration::from_secs(10);

/// What is put: the size is signed, the content does not matter.
const BYTES: &[u8] = b"reelpin";

impl Bucket {
    /// Puts a scratch object twice with one presigned address, as a browser would, and removes it.
    /// True when the second PUT was answered by 412: then a URL cannot replace a finished upload.
    ///
    /// # Errors
    /// [`BucketError`] when the address that browsers use cannot be reached from here, or takes no
    /// PUT at all.
    pub async fn honours_once(&self) -> Result<bool, BucketError> {
        self.objects.honours_once().await
    }
}

/// As [`Bucket::honours_once`].
pub(super) async fn honoured(s3: &S3) -> Result<bool, BucketError> {
    let key = format!("{}{}", keys::SCRATCH, Uuid::new_v4());
    let put = s3.presign_put(&key, BYTES.len() as u64, Duration::from_secs(60), true).await?;
    let client = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build();
    let first = send(&client, &put.url, &put.headers).await?;
    if !(200..300).contains(&first) {
        let code = "the first PUT was refused".to_owned();
        return Err(BucketError::Refused { call: "PutObject", status: first, code });
    }
    let second = send(&client, &put.url, &put.headers).await;
    s3.delete(&[key]).await?;
    Ok(second? == 412)
}

async fn send(
    client: &Connector,
    url: &str,
    headers: &BTreeMap<String, String>,
) -> Result<u16, BucketError> {
    let wrong = |e: Box<dyn std::error::Error + Send + Sync>| BucketError::Request(e);
    let mut request = HttpRequest::new(SdkBody::from(BYTES));
    request.set_uri(url).map_err(|e| wrong(e.into()))?;
    request.set_method("PUT").map_err(|e| wrong(e.into()))?;
    for (name, value) in headers {
        request.headers_mut().insert(name.clone(), value.clone());
    }
    request.headers_mut().insert("content-length", BYTES.len().to_string());
    match tokio::time::timeout(TRY, client.call(request)).await {
        Ok(Ok(answer)) => Ok(answer.status().as_u16()),
        Ok(Err(e)) => Err(BucketError::Unreachable { call: "PutObject", source: e.into() }),
        Err(_) => Err(BucketError::TimedOut { call: "PutObject" }),
    }
}
