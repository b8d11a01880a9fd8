//! An upload in parts becomes an object.
use std::fs::File;

use s3s::{S3Result, s3_error};

use crate::assembly::{self, Named};
use crate::commit;
use crate::condition::WriteIf;
use crate::draft::Draft;
use crate::fault::ours;
use crate::key::Key;
use crate::open;
use crate::record::Record;
use crate::store::Store;
use crate::upload::Upload;

/// What a client asks for in the end.
#[derive(Debug)]
pub(crate) struct Ask {
    /// The upload.
    pub(crate) id: String,
    /// The object's key.
    pub(crate) key: Key,
    /// Its parts.
    pub(crate) named: Vec<Named>,
    /// What it comes to in bytes, if the client says so.
    pub(crate) size: Option<i64>,
    /// When it may be written.
    pub(crate) condition: WriteIf,
}

/// Puts the parts together, gives the object its name and ends the upload. Whoever asks again because
/// the answer was lost gets it again, as long as the object is the one that this upload made. The
/// caller sees to it that one upload is completed, or aborted, once at a time.
pub(crate) fn complete(store: &Store, ask: &Ask) -> S3Result<Record> {
    let made = open::find(store, &ask.key)?.map(|object| object.record);
    let made = made.filter(|record| record.upload.as_deref() == Some(ask.id.as_str()));
    let upload = Upload::open(store, &ask.id, &ask.key);
    if let Some(made) = made {
        commit::settle(store, &ask.key)?;
        if let Ok(upload) = upload {
            upload.end(store)?;
        }
        let same = assembly::etag(&ask.named).as_ref() == Some(&made.etag);
        return if same { Ok(made) } else { Err(s3_error!(NoSuchUpload)) };
    }
    let upload = upload?;
    let parts = assembly::choose(&ask.named, &upload.parts()?)?;
    let size: u64 = parts.iter().map(|part| part.size).sum();
    if ask.size.is_some_and(|asked| u64::try_from(asked) != Ok(size)) {
        return Err(s3_error!(InvalidRequest, "the parts come to {size} bytes"));
    }
    // Before much is copied; it is judged again in the end.
    if ask.condition.any() {
        let present = open::find(store, &ask.key)?;
        ask.condition.allows(present.as_ref().map(|object| object.record.etag.as_str()))?;
    }
    let mut draft = Draft::new(store).map_err(ours)?;
    for part in &parts {
        let file = File::open(upload.path(part)).map_err(ours)?;
        if draft.append(&file).map_err(ours)? != part.size {
            return Err(s3_error!(InternalError, "part {} is not what it was", part.number));
        }
    }
    let etag = assembly::etag(&ask.named).ok_or_else(|| s3_error!(InvalidPart))?;
    let said = upload.about.said.clone();
    let record = Record { etag, said, upload: Some(ask.id.clone()), ..Record::default() };
    let record = commit::put(store, draft, &ask.key, record, &ask.condition)?;
    // What a failure leaves is ended by whoever asks again, or by a start a day later.
    if let Err(error) = upload.end(store) {
        tracing::warn!(%error, "a completed upload could not be ended");
    }
    Ok(record)
}
