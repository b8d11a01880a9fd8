//! `PutObject`.
use std::sync::Arc;

use data_encoding::HEXLOWER;
use s3s::dto::{Metadata, PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::{Answer, etag, signed};
use crate::commit;
use crate::condition::WriteIf;
use crate::digest::Promise;
use crate::fault::blocking;
use crate::key::Key;
use crate::open;
use crate::receive::receive;
use crate::record::{MAX_USER_METADATA, Record, Said, Sums};
use crate::store::Store;

pub(super) async fn put(
    store: Arc<Store>,
    req: S3Request<PutObjectInput>,
) -> Answer<PutObjectOutput> {
    let announced = announced(&req);
    let (trailers, input) = (req.trailing_headers, req.input);
    let key = Key::parse(&input.key)?;
    let condition = WriteIf { matches: input.if_match, none_matches: input.if_none_match };
    let said = said(Said {
        content_type: input.content_type,
        cache_control: input.cache_control,
        content_disposition: input.content_disposition,
        content_encoding: input.content_encoding,
        content_language: input.content_language,
        user: input.metadata,
    })?;
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
    if condition.any() {
        early(&store, &key, &condition).await?;
    }
    let (draft, hashed, _) = receive(Arc::clone(&store), input.body, promise).await?;
    let record = blocking(move || {
        let etag = HEXLOWER.encode(&hashed.md5);
        let record = Record { etag, said, sums: hashed.sums, ..Record::default() };
        commit::put(&store, draft, &key, record, &condition)
    })
    .await?;
    Ok(S3Response::new(PutObjectOutput {
        e_tag: etag(&record.etag),
        size: signed(record.size),
        checksum_crc32: record.sums.crc32,
        checksum_crc32c: record.sums.crc32c,
        checksum_crc64nvme: record.sums.crc64nvme,
        checksum_sha1: record.sums.sha1,
        checksum_sha256: record.sums.sha256,
        ..Default::default()
    }))
}

/// Judges a condition before the body is read. It is judged again when the object is put in place.
async fn early(store: &Arc<Store>, key: &Key, condition: &WriteIf) -> S3Result<()> {
    let (store, key, condition) = (Arc::clone(store), key.clone(), condition.clone());
    blocking(move || {
        if condition.only_new() {
            if open::look(&store.path(&key))?.is_none() {
                return Ok(());
            }
            // "It is there" must be as durable as the answer of whoever put it there.
            commit::settle(&store, &key)?;
            return Err(s3_error!(PreconditionFailed));
        }
        let present = open::find(&store, &key)?;
        Ok(condition.allows(present.as_ref().map(|object| object.record.etag.as_str()))?)
    })
    .await
}

/// The headers that the request says will come behind its body.
pub(super) fn announced<T>(req: &S3Request<T>) -> String {
    let header = req.headers.get("x-amz-trailer").and_then(|value| value.to_str().ok());
    header.unwrap_or_default().to_owned()
}

/// Takes what a client says of an object if it is not too much.
pub(super) fn said(said: Said) -> S3Result<Said> {
    let length = |user: &Metadata| user.iter().map(|(name, value)| name.len() + value.len()).sum();
    let length: usize = said.user.as_ref().map_or(0, length);
    let whole = serde_json::to_vec(&said).map_or(usize::MAX, |text| text.len());
    // What else a record has is less than 1000 bytes.
    if length > MAX_USER_METADATA || whole + 1000 > crate::keep::MAX_RECORD {
        return Err(s3_error!(MetadataTooLarge));
    }
    Ok(said)
}
