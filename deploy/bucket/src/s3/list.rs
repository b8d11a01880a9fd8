//! `ListObjectsV2` and `ListObjects`.
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use s3s::dto::*;
use s3s::{S3Response, S3Result, s3_error};

use super::{Answer, etag, signed};
use crate::fault::{blocking, ours};
use crate::key::Key;
use crate::open;
use crate::page::{self, Ask};
use crate::record::{mtime, timestamp};
use crate::store::Store;

/// A page with what is known of each object.
struct Listed {
    objects: Vec<Object>,
    commons: Vec<CommonPrefix>,
    next: Option<String>,
}

pub(super) async fn second(
    store: Arc<Store>,
    input: ListObjectsV2Input,
) -> Answer<ListObjectsV2Output> {
    let after = match &input.continuation_token {
        Some(token) => Some(opened(token)?),
        None => input.start_after.clone(),
    };
    let ask = asked(&input.prefix, &input.delimiter, after, input.max_keys)?;
    let encoded = Encoding::of(&input.encoding_type)?;
    let limit = i32::try_from(ask.limit).ok();
    let Listed { objects, commons, next } = listed(store, ask, encoded).await?;
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        key_count: i32::try_from(objects.len() + commons.len()).ok(),
        max_keys: limit,
        is_truncated: Some(next.is_some()),
        contents: Some(objects),
        common_prefixes: Some(commons),
        continuation_token: input.continuation_token,
        next_continuation_token: next.map(|next| BASE64URL_NOPAD.encode(next.as_bytes())),
        delimiter: input.delimiter.map(|text| encoded.shown(text)),
        prefix: Some(encoded.shown(input.prefix.unwrap_or_default())),
        start_after: input.start_after.map(|text| encoded.shown(text)),
        encoding_type: input.encoding_type,
        ..Default::default()
    }))
}

pub(super) async fn first(store: Arc<Store>, input: ListObjectsInput) -> Answer<ListObjectsOutput> {
    let ask = asked(&input.prefix, &input.delimiter, input.marker.clone(), input.max_keys)?;
    let encoded = Encoding::of(&input.encoding_type)?;
    let limit = i32::try_from(ask.limit).ok();
    let Listed { objects, commons, next } = listed(store, ask, encoded).await?;
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        max_keys: limit,
        is_truncated: Some(next.is_some()),
        contents: Some(objects),
        common_prefixes: Some(commons),
        next_marker: next.map(|text| encoded.shown(text)),
        marker: Some(encoded.shown(input.marker.unwrap_or_default())),
        delimiter: input.delimiter.map(|text| encoded.shown(text)),
        prefix: Some(encoded.shown(input.prefix.unwrap_or_default())),
        encoding_type: input.encoding_type,
        ..Default::default()
    }))
}

fn asked(
    prefix: &Option<String>,
    delimiter: &Option<String>,
    after: Option<String>,
    limit: Option<i32>,
) -> S3Result<Ask> {
    let limit =
        usize::try_from(limit.unwrap_or(i32::MAX)).map_err(|_| s3_error!(InvalidArgument))?;
    Ok(Ask {
        prefix: prefix.clone().unwrap_or_default(),
        delimiter: delimiter.clone(),
        after,
        limit: limit.min(page::MAX),
    })
}

fn opened(token: &str) -> S3Result<String> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| s3_error!(InvalidArgument, "this is no token of ours"))
}

async fn listed(store: Arc<Store>, ask: Ask, encoded: Encoding) -> S3Result<Listed> {
    blocking(move || {
        store.present()?;
        let page = page::read(store.bucket.clone(), &ask).map_err(ours)?;
        let mut objects = Vec::with_capacity(page.keys.len());
        for text in page.keys {
            let Ok(key) = Key::parse(&text) else { continue };
            // Deleted meanwhile.
            let Some(about) = open::look(&store.path(&key))? else { continue };
            let record = store.keep.look(&store.path(&key), &key, &about);
            objects.push(Object {
                key: Some(encoded.shown(text)),
                size: signed(about.len()),
                last_modified: Some(timestamp(mtime(&about))),
                // One that was never read since it came here by other ways has none yet.
                e_tag: record.and_then(|record| etag(&record.etag)),
                storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
                ..Default::default()
            });
        }
        let common = |text| CommonPrefix { prefix: Some(encoded.shown(text)) };
        let commons = page.commons.into_iter().map(common).collect();
        Ok(Listed { objects, commons, next: page.next })
    })
    .await
}

/// How keys are shown in XML, which cannot hold every character.
#[derive(Clone, Copy)]
pub(super) enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    pub(super) fn of(asked: &Option<EncodingType>) -> S3Result<Self> {
        match asked.as_ref().map(EncodingType::as_str) {
            None => Ok(Self::Plain),
            Some(EncodingType::URL) => Ok(Self::Url),
            Some(_) => Err(s3_error!(InvalidArgument, "an unknown encoding type")),
        }
    }

    pub(super) fn shown(self, text: String) -> String {
        let Self::Url = self else { return text };
        let mut shown = String::with_capacity(text.len());
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                    shown.push(char::from(byte));
                }
                _ => shown.push_str(&format!("%{byte:02X}")),
            }
        }
        shown
    }
}
