//! What a request promised of its body, and whether the body kept it.
use data_encoding::BASE64;
use md5::{Digest as _, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::dto::{Checksum, ChecksumAlgorithm};
use s3s::{S3Result, TrailingHeaders, s3_error};

use crate::record::Sums;

/// What a request says of its body, in headers before it or behind it.
#[derive(Debug, Default)]
pub(crate) struct Promise {
    /// In bytes.
    pub(crate) length: Option<i64>,
    /// `Content-MD5`, in base64.
    pub(crate) md5: Option<String>,
    /// Checksums in base64.
    pub(crate) sums: Sums,
    /// A checksum that is to be computed though none was promised.
    pub(crate) algorithm: Option<ChecksumAlgorithm>,
    /// Headers that come behind the body.
    pub(crate) trailers: Option<TrailingHeaders>,
    /// Their names, as `x-amz-trailer` tells them.
    pub(crate) announced: String,
}

/// Hashes that go on over a body.
#[derive(Default)]
pub(crate) struct Hashes {
    md5: Md5,
    sums: ChecksumHasher,
}

/// What they come to.
#[derive(Clone, Debug)]
pub(crate) struct Hashed {
    /// The MD5.
    pub(crate) md5: [u8; 16],
    /// The checksums that were asked for.
    pub(crate) sums: Sums,
}

impl Promise {
    /// The hashes that this promise needs.
    pub(crate) fn hashes(&self) -> Hashes {
        let asked = |promised: &Option<String>, name: &'static str| {
            let chosen = self
                .algorithm
                .as_ref()
                .is_some_and(|chosen| chosen.as_str().eq_ignore_ascii_case(name));
            let header = format!("x-amz-checksum-{}", name.to_ascii_lowercase());
            let announced =
                self.announced.split(',').any(|one| one.trim().eq_ignore_ascii_case(&header));
            promised.is_some() || chosen || announced
        };
        let sums = ChecksumHasher {
            crc32: asked(&self.sums.crc32, ChecksumAlgorithm::CRC32).then(Default::default),
            crc32c: asked(&self.sums.crc32c, ChecksumAlgorithm::CRC32C).then(Default::default),
            crc64nvme: asked(&self.sums.crc64nvme, ChecksumAlgorithm::CRC64NVME)
                .then(Default::default),
            sha1: asked(&self.sums.sha1, ChecksumAlgorithm::SHA1).then(Default::default),
            sha256: asked(&self.sums.sha256, ChecksumAlgorithm::SHA256).then(Default::default),
        };
        Hashes { md5: Md5::default(), sums }
    }

    /// Adds what came behind the body, once that was read.
    pub(crate) fn with_trailers(mut self) -> S3Result<Self> {
        let Some(headers) = self.trailers.take().and_then(|trailers| trailers.take()) else {
            return Ok(self);
        };
        for (name, sum) in [
            ("x-amz-checksum-crc32", &mut self.sums.crc32),
            ("x-amz-checksum-crc32c", &mut self.sums.crc32c),
            ("x-amz-checksum-crc64nvme", &mut self.sums.crc64nvme),
            ("x-amz-checksum-sha1", &mut self.sums.sha1),
            ("x-amz-checksum-sha256", &mut self.sums.sha256),
        ] {
            if let Some(value) = headers.get(name) {
                let value = value.to_str().map_err(|_| s3_error!(InvalidArgument))?;
                *sum = Some(value.to_owned());
            }
        }
        Ok(self)
    }

    /// Compares it with what came.
    pub(crate) fn check(&self, size: u64, hashed: &Hashed) -> S3Result<()> {
        if self.length.is_some_and(|length| u64::try_from(length) != Ok(size)) {
            return Err(s3_error!(IncompleteBody, "another length than the request's head says"));
        }
        if let Some(promised) = &self.md5 {
            let promised = BASE64.decode(promised.as_bytes());
            let promised = promised.map_err(|_| s3_error!(InvalidDigest))?;
            if promised != hashed.md5 {
                return Err(s3_error!(BadDigest, "Content-MD5 is not that of the body"));
            }
        }
        for (name, promised, came) in [
            ("crc32", &self.sums.crc32, &hashed.sums.crc32),
            ("crc32c", &self.sums.crc32c, &hashed.sums.crc32c),
            ("crc64nvme", &self.sums.crc64nvme, &hashed.sums.crc64nvme),
            ("sha1", &self.sums.sha1, &hashed.sums.sha1),
            ("sha256", &self.sums.sha256, &hashed.sums.sha256),
        ] {
            if promised.is_some() && promised != came {
                return Err(s3_error!(BadDigest, "the {name} checksum is not that of the body"));
            }
        }
        Ok(())
    }
}

impl Hashes {
    /// Goes on over more of the body.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sums.update(bytes);
    }

    /// Ends them.
    pub(crate) fn finish(self) -> Hashed {
        let Checksum {
            checksum_crc32: crc32,
            checksum_crc32c: crc32c,
            checksum_crc64nvme: crc64nvme,
            checksum_sha1: sha1,
            checksum_sha256: sha256,
            ..
        } = self.sums.finalize();
        let sums = Sums { crc32, crc32c, crc64nvme, sha1, sha256 };
        Hashed { md5: self.md5.finalize().into(), sums }
    }
}
