//! `CopyObject`.
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Response, S3Result, s3_error};

use super::put::said;
use super::{Answer, etag};
use crate::commit;
use crate::condition::{ReadIf, Refused, WriteIf};
use crate::draft::Draft;
use crate::fault::{blocking, ours};
use crate::key::Key;
use crate::open;
use crate::record::{Record, Said, timestamp};
use crate::store::Store;

pub(super) async fn copy(store: Arc<Store>, input: CopyObjectInput) -> Answer<CopyObjectOutput> {
    let from = source(&store, &input.copy_source)?;
    let to = Key::parse(&input.key)?;
    let condition = ReadIf {
        matches: input.copy_source_if_match,
        none_matches: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    };
    let directive = input.metadata_directive.as_ref().map(MetadataDirective::as_str);
    let replaced = match directive == Some(MetadataDirective::REPLACE) {
        true => Some(said(Said {
            content_type: input.content_type,
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: input.content_encoding,
            content_language: input.content_language,
            user: input.metadata,
        })?),
        false => None,
    };
    if from == to && replaced.is_none() {
        return Err(s3_error!(InvalidRequest, "a copy onto itself changes nothing"));
    }
    let record = blocking(move || {
        let object = open::get(&store, &from)?;
        let modified = timestamp(object.record.mtime);
        condition.allows(&object.record.etag, &modified).map_err(|_| Refused::Failed)?;
        let mut draft = Draft::new(&store).map_err(ours)?;
        let copied = draft.append(&object.file).map_err(ours)?;
        if copied != object.record.size {
            return Err(s3_error!(InternalError, "the source changed while it was copied"));
        }
        let Record { etag, said, sums, .. } = object.record;
        let said = replaced.unwrap_or(said);
        let record = Record { etag, said, sums, ..Record::default() };
        commit::put(&store, draft, &to, record, &WriteIf::default())
    })
    .await?;
    let result = CopyObjectResult {
        e_tag: etag(&record.etag),
        last_modified: Some(timestamp(record.mtime)),
        ..Default::default()
    };
    let output = CopyObjectOutput { copy_object_result: Some(result), ..Default::default() };
    Ok(S3Response::new(output))
}

/// The key that a copy is made from.
pub(super) fn source(store: &Store, source: &CopySource) -> S3Result<Key> {
    match source {
        CopySource::Bucket { bucket, key, .. } if **bucket == *store.name => Ok(Key::parse(key)?),
        CopySource::Bucket { .. } => Err(s3_error!(NoSuchBucket)),
        _ => Err(s3_error!(NotImplemented)),
    }
}
