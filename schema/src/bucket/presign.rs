//! Upload addresses: a presigned PUT that admits exactly the declared size.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;

use super::BucketError;
use super::s3::S3;

/// An address that a browser uploads to.
#[derive(Debug, Clone)]
pub struct PresignedPut {
    /// The URL, its signature included.
    pub url: String,
    /// Headers that the browser must send; never content-length, which it sets itself.
    pub headers: BTreeMap<String, String>,
}

/// Signs a PUT by the client of the endpoint that browsers reach.
pub(super) async fn put(
    s3: &S3,
    key: &str,
    size: u64,
    valid: Duration,
    once: bool,
) -> Result<PresignedPut, BucketError> {
    let config = PresigningConfig::expires_in(valid).map_err(|e| BucketError::Request(e.into()))?;
    let signed = s3
        .public
        .put_object()
        .bucket(&s3.name)
        .key(key)
        .content_length(size.cast_signed())
        .set_if_none_match(once.then(|| "*".to_owned()))
        .presigned(config)
        .await
        .map_err(|e| BucketError::Request(e.into()))?;
    let headers = signed
        .headers()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Ok(PresignedPut { url: signed.uri().to_owned(), headers })
}
