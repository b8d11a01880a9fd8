//! What is known of an object besides its bytes.
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

use s3s::dto;
use serde::{Deserialize, Serialize};

/// S3's limit for what a user says of an object, in bytes of names and values.
pub(crate) const MAX_USER_METADATA: usize = 2048;

/// The record of one object; it counts only for a file of exactly this size and time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Of the file, in bytes.
    pub(crate) size: u64,
    /// When the file was last written, in nanoseconds since 1970.
    pub(crate) mtime: i128,
    /// Without quotes: the MD5 in hex, or S3's `<md5 of md5s>-<number of parts>`.
    pub(crate) etag: String,
    /// The upload in parts that made the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) upload: Option<String>,
    /// What the client said of it.
    #[serde(flatten)]
    pub(crate) said: Said,
    /// The checksums that the client asked for.
    #[serde(default, skip_serializing_if = "Sums::is_empty")]
    pub(crate) sums: Sums,
}

/// The headers that a client gives with an object and gets back with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub(crate) struct Said {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_disposition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_encoding: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<dto::Metadata>,
}

/// Checksums in base64, as S3's headers have them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub(crate) struct Sums {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) crc32: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) crc32c: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) crc64nvme: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha1: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
}

impl Sums {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Record {
    /// Whether this is the record of that file as it is.
    pub(crate) fn is_of(&self, file: &Metadata) -> bool {
        self.size == file.len() && self.mtime == mtime(file)
    }
}

/// When a file was last written, in nanoseconds since 1970.
pub(crate) fn mtime(file: &Metadata) -> i128 {
    i128::from(file.mtime()) * 1_000_000_000 + i128::from(file.mtime_nsec())
}

/// A time of `mtime` as S3's types have it; before 1970 where it cannot be a date.
pub(crate) fn timestamp(mtime: i128) -> dto::Timestamp {
    let date = time::OffsetDateTime::from_unix_timestamp_nanos(mtime);
    date.unwrap_or(time::OffsetDateTime::UNIX_EPOCH).into()
}
