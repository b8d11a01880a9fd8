//! Where the bucket is, and how its server wants to be spoken to.

use std::str::FromStr;

use crate::secret::Secret;

/// Where the bucket is.
#[derive(Debug, Clone)]
pub struct Config {
    /// URL of the S3 API as the services reach it, without the bucket's name.
    pub endpoint: String,
    /// URL of the S3 API as browsers reach it, without the bucket's name.
    pub public_endpoint: String,
    /// Where the bucket's name stands in a URL.
    pub addressing: Addressing,
    /// The region that requests are signed for.
    pub region: String,
    /// The bucket's name.
    pub bucket: String,
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: Secret,
    /// The token that comes with temporary keys.
    pub session_token: Option<Secret>,
}

/// Where the bucket's name stands in a URL (Amazon S3 User Guide, "Virtual hosting of buckets").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Addressing {
    /// `https://host/bucket/key`: what every server knows.
    #[default]
    Path,
    /// `https://bucket.host/key`.
    VirtualHost,
}

impl FromStr for Addressing {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "path" => Ok(Self::Path),
            "virtual-host" => Ok(Self::VirtualHost),
            _ => Err(()),
        }
    }
}

impl Config {
    /// The URL that upload addresses begin with, the bucket's name within its host or not: what a
    /// page must be allowed to connect to.
    pub fn upload_endpoint(&self) -> String {
        match (self.addressing, self.public_endpoint.split_once("://")) {
            (Addressing::VirtualHost, Some((scheme, rest))) => {
                format!("{scheme}://{}.{rest}", self.bucket)
            }
            _ => self.public_endpoint.clone(),
        }
    }
}
