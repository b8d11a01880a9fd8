//! Whether the engine honours `If-None-Match: *` on a presigned PUT, found out by trying it.

use std::time::Duration;

use uuid::Uuid;

use super::browser::Browser;
use super::s3::S3;
use super::{Bucket, BucketError, Objects as _};
use crate::keys;

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
    let browser = Browser::new()?;
    let (first, _) = browser.put(&put, BYTES.to_vec(), None).await?;
    if !(200..300).contains(&first) {
        let code = "the first PUT was refused".to_owned();
        return Err(BucketError::Refused { call: "PutObject", status: first, code });
    }
    let second = browser.put(&put, BYTES.to_vec(), None).await;
    s3.delete(&[key]).await?;
    Ok(second?.0 == 412)
}
