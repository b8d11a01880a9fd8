//! `DeleteObject` and `DeleteObjects`.
use std::collections::BTreeSet;
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Error, S3Response, S3Result, s3_error};

use super::Answer;
use crate::commit;
use crate::condition::WriteIf;
use crate::fault::blocking;
use crate::key::Key;
use crate::store::Store;

/// S3's own limit.
const MAX: usize = 1000;

pub(super) async fn one(store: Arc<Store>, input: DeleteObjectInput) -> Answer<DeleteObjectOutput> {
    let key = Key::parse(&input.key)?;
    let condition = WriteIf { matches: input.if_match, none_matches: None };
    blocking(move || {
        if commit::remove(&store, &key, &condition)?
            && let Some(folder) = store.path(&key).parent()
        {
            commit::forget_folder(&store, folder)?;
        }
        Ok(())
    })
    .await?;
    Ok(S3Response::new(DeleteObjectOutput::default()))
}

/// Deletes one after another, then syncs each folder once.
pub(super) async fn many(store: Arc<Store>, asked: Delete) -> Answer<DeleteObjectsOutput> {
    if asked.objects.len() > MAX {
        return Err(s3_error!(MalformedXML, "more than {MAX} keys"));
    }
    let quiet = asked.quiet == Some(true);
    let (deleted, errors) = blocking(move || {
        let (mut deleted, mut errors, mut folders) = (Vec::new(), Vec::new(), BTreeSet::new());
        for object in asked.objects {
            let condition =
                WriteIf { matches: object.e_tag.map(ETagCondition::ETag), none_matches: None };
            let removed = Key::parse(&object.key).map_err(S3Error::from).and_then(|key| {
                if commit::remove(&store, &key, &condition)? {
                    folders.extend(store.path(&key).parent().map(std::path::Path::to_owned));
                }
                S3Result::Ok(())
            });
            let key = Some(object.key);
            match removed {
                Ok(()) => deleted.push(DeletedObject { key, ..Default::default() }),
                Err(error) => errors.push(s3s::dto::Error {
                    key,
                    code: Some(error.code().as_str().to_owned()),
                    message: error.message().map(str::to_owned),
                    ..Default::default()
                }),
            }
        }
        for folder in folders {
            commit::forget_folder(&store, &folder)?;
        }
        Ok((deleted, errors))
    })
    .await?;
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: (!quiet).then_some(deleted),
        errors: (!errors.is_empty()).then_some(errors),
        ..Default::default()
    }))
}
