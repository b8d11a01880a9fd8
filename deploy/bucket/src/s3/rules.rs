//! `GetBucketCors`, `PutBucketCors`, `DeleteBucketCors`.
use std::sync::{Arc, PoisonError};

use s3s::dto::{CORSRule, GetBucketCorsOutput};
use s3s::{S3Response, S3Result, s3_error};

use super::Answer;
use crate::cors;
use crate::fault::{blocking, ours};
use crate::store::Store;

/// S3's own limit.
const MAX_RULES: usize = 100;

pub(super) fn get(store: &Store) -> Answer<GetBucketCorsOutput> {
    let rules = store.cors.read().unwrap_or_else(PoisonError::into_inner);
    if rules.is_empty() {
        return Err(s3_error!(NoSuchCORSConfiguration));
    }
    Ok(S3Response::new(GetBucketCorsOutput { cors_rules: Some(rules.clone()) }))
}

/// Replaces the rules; with none, the bucket has no configuration.
pub(super) async fn put(store: Arc<Store>, rules: Vec<CORSRule>) -> S3Result<()> {
    if rules.len() > MAX_RULES {
        return Err(s3_error!(MalformedXML, "more than {MAX_RULES} rules"));
    }
    blocking(move || {
        let mut kept = store.cors.write().unwrap_or_else(PoisonError::into_inner);
        cors::write(&store.cors_file, &rules).map_err(ours)?;
        *kept = rules;
        Ok(())
    })
    .await
}
