//! `GetObject` and `HeadObject`.
use std::fs::File;
use std::ops;
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Error, S3Response, S3Result};

use super::{Answer, etag, signed};
use crate::condition::ReadIf;
use crate::fault::blocking;
use crate::key::Key;
use crate::open::{self, Opened};
use crate::record::{Record, Sums, timestamp};
use crate::send;
use crate::store::Store;

pub(super) async fn get(store: Arc<Store>, input: GetObjectInput) -> Answer<GetObjectOutput> {
    let condition = ReadIf {
        matches: input.if_match,
        none_matches: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    let (file, record) = opened(store, &input.key, condition).await?;
    let (range, content_range) = ranged(input.range, record.size)?;
    let sums = sums(&record, input.checksum_mode, content_range.is_some());
    let Record { size: _, mtime, etag: tag, said, .. } = record;
    Ok(S3Response::new(GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: signed(range.end - range.start),
        content_range,
        body: Some(send::stream(file, range)),
        e_tag: etag(&tag),
        last_modified: Some(timestamp(mtime)),
        content_type: said.content_type.or_else(|| Some(UNKNOWN.to_owned())),
        cache_control: said.cache_control,
        content_disposition: said.content_disposition,
        content_encoding: said.content_encoding,
        content_language: said.content_language,
        metadata: said.user,
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        ..Default::default()
    }))
}

pub(super) async fn head(store: Arc<Store>, input: HeadObjectInput) -> Answer<HeadObjectOutput> {
    let condition = ReadIf {
        matches: input.if_match,
        none_matches: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    let (_, record) = opened(store, &input.key, condition).await?;
    let (range, content_range) = ranged(input.range, record.size)?;
    let sums = sums(&record, input.checksum_mode, content_range.is_some());
    let Record { size: _, mtime, etag: tag, said, .. } = record;
    Ok(S3Response::new(HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: signed(range.end - range.start),
        content_range,
        e_tag: etag(&tag),
        last_modified: Some(timestamp(mtime)),
        content_type: said.content_type.or_else(|| Some(UNKNOWN.to_owned())),
        cache_control: said.cache_control,
        content_disposition: said.content_disposition,
        content_encoding: said.content_encoding,
        content_language: said.content_language,
        metadata: said.user,
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        ..Default::default()
    }))
}

/// What S3 says of an object whose kind nobody told.
const UNKNOWN: &str = "binary/octet-stream";

async fn opened(store: Arc<Store>, key: &str, condition: ReadIf) -> S3Result<(File, Record)> {
    let key = Key::parse(key)?;
    let Opened { file, record } = blocking(move || open::get(&store, &key)).await?;
    condition.allows(&record.etag, &timestamp(record.mtime)).map_err(|refused| {
        let mut error = S3Error::from(refused);
        // Who has it already is told which it is.
        if let Ok(tag) = format!("\"{}\"", record.etag).parse() {
            error.set_headers([(s3s::header::ETAG, tag)].into_iter().collect());
        }
        error
    })?;
    Ok((file, record))
}

/// The bytes to send, and what `Content-Range` says of them if they are a part.
fn ranged(range: Option<Range>, size: u64) -> S3Result<(ops::Range<u64>, Option<String>)> {
    let Some(range) = range else { return Ok((0..size, None)) };
    // The last bytes of nothing: RFC 9110 lets them be nothing, but no header can say so.
    if size == 0 {
        return Err(s3s::s3_error!(InvalidRange));
    }
    let range = range.check(size)?;
    let shown = format!("bytes {}-{}/{size}", range.start, range.end - 1);
    Ok((range, Some(shown)))
}

fn sums(record: &Record, mode: Option<ChecksumMode>, part: bool) -> Sums {
    let asked = mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
    if asked && !part { record.sums.clone() } else { Sums::default() }
}
