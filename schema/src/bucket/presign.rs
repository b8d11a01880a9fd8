//! Upload addresses: a presigned PUT that admits exactly the declared size.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;

use super::{Bucket, BucketError};

/// An address that a browser uploads to.
#[derive(Debug, Clone)]
pub struct PresignedPut {
    /// The URL, its signature included.
    pub url: String,
    /// Headers that the browser must send; never content-length, which it sets itself.
    pub headers: BTreeMap<String, String>,
}

impl Bucket {
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
        let config =
            PresigningConfig::expires_in(valid).map_err(|e| BucketError::Request(e.into()))?;
        let signed = self
            .public
            .put_object()
            .bucket(&self.name)
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
}
