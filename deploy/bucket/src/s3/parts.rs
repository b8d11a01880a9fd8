//! `UploadPart`, `UploadPartCopy`, `ListParts`.
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::copy::source;
use super::put::announced;
use super::{Answer, etag, signed};
use crate::assembly::MAX_NUMBER;
use crate::condition::{ReadIf, Refused};
use crate::digest::Promise;
use crate::draft::Draft;
use crate::fault::{blocking, ours};
use crate::key::Key;
use crate::open;
use crate::page;
use crate::receive::receive;
use crate::record::{Sums, timestamp};
use crate::store::Store;
use crate::upload::Upload;

/// Read at once where a part is copied, in bytes.
const CHUNK: u64 = 1 << 20;

pub(super) async fn put(
    store: Arc<Store>,
    req: S3Request<UploadPartInput>,
) -> Answer<UploadPartOutput> {
    let announced = announced(&req);
    let (trailers, input) = (req.trailing_headers, req.input);
    let number = number(input.part_number)?;
    let upload = opened(&store, input.upload_id, &input.key).await?;
    let promise = Promise {
        length: input.content_length,
        md5: input.content_md5,
        sums: Sums {
            crc32: input.checksum_crc32,
            crc32c: input.checksum_crc32c,
            crc64nvme: input.checksum_crc64nvme,
            sha1: input.checksum_sha1,
            sha256: input.checksum_sha256,
        },
        algorithm: input.checksum_algorithm,
        trailers,
        announced,
    };
    let (draft, hashed, _) = receive(Arc::clone(&store), input.body, promise).await?;
    let (part, sums) = blocking(move || {
        let part = upload.take(&store, number, draft, &hashed)?;
        Ok((part, hashed.sums))
    })
    .await?;
    Ok(S3Response::new(UploadPartOutput {
        e_tag: etag(&part.etag()),
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        ..Default::default()
    }))
}

pub(super) async fn copy(
    store: Arc<Store>,
    input: UploadPartCopyInput,
) -> Answer<UploadPartCopyOutput> {
    let number = number(input.part_number)?;
    let from = source(&store, &input.copy_source)?;
    let upload = opened(&store, input.upload_id, &input.key).await?;
    let condition = ReadIf {
        matches: input.copy_source_if_match,
        none_matches: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    };
    let range = input.copy_source_range;
    let part = blocking(move || {
        let object = open::get(&store, &from)?;
        let modified = timestamp(object.record.mtime);
        condition.allows(&object.record.etag, &modified).map_err(|_| Refused::Failed)?;
        let size = object.record.size;
        let range = match range.as_deref().map(|text| bytes(text, size)) {
            Some(range) => range?,
            None => 0..size,
        };
        let (mut draft, mut hashes) =
            (Draft::new(&store).map_err(ours)?, Promise::default().hashes());
        let mut at = range.start;
        while at < range.end {
            let length = CHUNK.min(range.end - at);
            let mut room = vec![0; usize::try_from(length).unwrap_or(0)];
            object.file.read_exact_at(&mut room, at).map_err(ours)?;
            hashes.update(&room);
            draft.write(&Bytes::from(room)).map_err(ours)?;
            at += length;
        }
        upload.take(&store, number, draft, &hashes.finish())
    })
    .await?;
    let result = CopyPartResult {
        e_tag: etag(&part.etag()),
        last_modified: Some(timestamp(part.stamp)),
        ..Default::default()
    };
    let output = UploadPartCopyOutput { copy_part_result: Some(result), ..Default::default() };
    Ok(S3Response::new(output))
}

pub(super) async fn list(store: Arc<Store>, input: ListPartsInput) -> Answer<ListPartsOutput> {
    let upload = opened(&store, input.upload_id.clone(), &input.key).await?;
    let asked = input.max_parts.unwrap_or(i32::MAX);
    let limit = usize::try_from(asked).map_err(|_| s3_error!(InvalidArgument))?.min(page::MAX);
    let after = input.part_number_marker.unwrap_or(0);
    let mut parts = blocking(move || upload.parts()).await?;
    parts.retain(|part| part.number > after);
    let truncated = limit > 0 && parts.len() > limit;
    parts.truncate(limit);
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: input.part_number_marker,
        max_parts: i32::try_from(limit).ok(),
        is_truncated: Some(truncated),
        next_part_number_marker: parts.last().filter(|_| truncated).map(|part| part.number),
        parts: Some(
            parts
                .into_iter()
                .map(|part| Part {
                    part_number: Some(part.number),
                    e_tag: etag(&part.etag()),
                    size: signed(part.size),
                    last_modified: Some(timestamp(part.stamp)),
                    ..Default::default()
                })
                .collect(),
        ),
        ..Default::default()
    }))
}

async fn opened(store: &Arc<Store>, id: String, key: &str) -> S3Result<Upload> {
    let (store, key) = (Arc::clone(store), Key::parse(key)?);
    blocking(move || Upload::open(&store, &id, &key)).await
}

fn number(asked: i32) -> S3Result<i32> {
    match asked {
        1..=MAX_NUMBER => Ok(asked),
        _ => Err(s3_error!(InvalidArgument, "a part's number is from 1 to {MAX_NUMBER}")),
    }
}

/// `bytes=<first>-<last>`, which S3 wants to lie within the source.
fn bytes(text: &str, size: u64) -> S3Result<Range<u64>> {
    let wrong = || s3_error!(InvalidArgument, "a copied range is bytes=<first>-<last>");
    let (first, last) =
        text.strip_prefix("bytes=").and_then(|text| text.split_once('-')).ok_or_else(wrong)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let (first, last) = (number(first)?, number(last)?);
    if first > last || last >= size {
        return Err(s3_error!(InvalidRange));
    }
    Ok(first..last + 1)
}
