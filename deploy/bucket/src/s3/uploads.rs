//! `CreateMultipartUpload`, `CompleteMultipartUpload`, `AbortMultipartUpload`, `ListMultipartUploads`.
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Response, S3Result, s3_error};
use tokio::sync::OwnedMutexGuard;

use super::list::Encoding;
use super::put::said;
use super::{Answer, etag};
use crate::assembly::Named;
use crate::complete::{self, Ask};
use crate::condition::WriteIf;
use crate::fault::blocking;
use crate::key::Key;
use crate::page;
use crate::record::{Said, timestamp};
use crate::store::{Store, slot};
use crate::upload::{About, Upload};

pub(super) async fn create(
    store: Arc<Store>,
    input: CreateMultipartUploadInput,
) -> Answer<CreateMultipartUploadOutput> {
    let key = Key::parse(&input.key)?;
    let said = said(Said {
        content_type: input.content_type,
        cache_control: input.cache_control,
        content_disposition: input.content_disposition,
        content_encoding: input.content_encoding,
        content_language: input.content_language,
        user: input.metadata,
    })?;
    let id = uuid::Uuid::new_v4().simple().to_string();
    let about = About { key: key.as_str().to_owned(), said };
    let begun = id.clone();
    blocking(move || Upload::begin(&store, &begun, &about)).await?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        ..Default::default()
    }))
}

pub(super) async fn complete(
    store: Arc<Store>,
    input: CompleteMultipartUploadInput,
) -> Answer<CompleteMultipartUploadOutput> {
    let key = Key::parse(&input.key)?;
    let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let named = parts.into_iter().map(|part| {
        let (Some(number), Some(tag)) = (part.part_number, part.e_tag) else {
            return Err(s3_error!(MalformedXML, "a part without number or ETag"));
        };
        Ok(Named { number, etag: tag.into_value() })
    });
    let ask = Ask {
        named: named.collect::<S3Result<_>>()?,
        id: input.upload_id,
        key,
        size: input.mpu_object_size,
        condition: WriteIf { matches: input.if_match, none_matches: input.if_none_match },
    };
    let mine = alone(&store, &ask.id).await;
    // The turn is the work's own, which goes on when the client is gone.
    let record = blocking(move || {
        let _mine = mine;
        complete::complete(&store, &ask)
    })
    .await?;
    Ok(S3Response::new(CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: etag(&record.etag),
        ..Default::default()
    }))
}

pub(super) async fn abort(
    store: Arc<Store>,
    input: AbortMultipartUploadInput,
) -> Answer<AbortMultipartUploadOutput> {
    let key = Key::parse(&input.key)?;
    let mine = alone(&store, &input.upload_id).await;
    blocking(move || {
        let _mine = mine;
        Upload::open(&store, &input.upload_id, &key)?.end(&store)
    })
    .await?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

/// Waits until nobody else ends this upload.
async fn alone(store: &Store, id: &str) -> Option<OwnedMutexGuard<()>> {
    let lock = store.uploading.get(slot(id))?;
    Some(Arc::clone(lock).lock_owned().await)
}

pub(super) async fn list(
    store: Arc<Store>,
    input: ListMultipartUploadsInput,
) -> Answer<ListMultipartUploadsOutput> {
    if input.delimiter.as_ref().is_some_and(|delimiter| !delimiter.is_empty()) {
        return Err(s3_error!(NotImplemented, "uploads are listed without a delimiter"));
    }
    let encoded = Encoding::of(&input.encoding_type)?;
    let asked = input.max_uploads.unwrap_or(i32::MAX);
    let limit = usize::try_from(asked).map_err(|_| s3_error!(InvalidArgument))?.min(page::MAX);
    let mut uploads = blocking(move || Upload::all(&store)).await?;
    let prefix = input.prefix.clone().unwrap_or_default();
    uploads.retain(|upload| {
        let (key, id) = (upload.about.key.as_str(), upload.id.as_str());
        let later = match (input.key_marker.as_deref(), input.upload_id_marker.as_deref()) {
            (None | Some(""), _) => true,
            (Some(after), None | Some("")) => key > after,
            (Some(after), Some(after_id)) => (key, id) > (after, after_id),
        };
        key.starts_with(&prefix) && later
    });
    let truncated = limit > 0 && uploads.len() > limit;
    uploads.truncate(limit);
    let last = uploads.last().filter(|_| truncated);
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        is_truncated: Some(truncated),
        max_uploads: i32::try_from(limit).ok(),
        next_key_marker: last.map(|upload| encoded.shown(upload.about.key.clone())),
        next_upload_id_marker: last.map(|upload| upload.id.clone()),
        key_marker: input.key_marker.map(|text| encoded.shown(text)),
        upload_id_marker: input.upload_id_marker,
        prefix: input.prefix.map(|text| encoded.shown(text)),
        encoding_type: input.encoding_type,
        uploads: Some(
            uploads
                .into_iter()
                .map(|upload| MultipartUpload {
                    key: Some(encoded.shown(upload.about.key)),
                    upload_id: Some(upload.id),
                    initiated: Some(timestamp(upload.begun)),
                    ..Default::default()
                })
                .collect(),
        ),
        ..Default::default()
    }))
}
