//! Objects that are there: found, with their records.
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use data_encoding::HEXLOWER;
use md5::{Digest as _, Md5};
use s3s::{S3Result, s3_error};

use crate::fault::ours;
use crate::key::Key;
use crate::record::{Record, mtime};
use crate::store::Store;

/// Read at once where an ETag has to be computed, in bytes.
const CHUNK: usize = 1 << 20;

/// An open object: whatever happens to its name, its bytes and record stay what they are.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Its file.
    pub(crate) file: File,
    /// Its record.
    pub(crate) record: Record,
}

/// Opens the object of this key, or says that there is none.
pub(crate) fn get(store: &Store, key: &Key) -> S3Result<Opened> {
    match find(store, key)? {
        Some(object) => Ok(object),
        None => Err(store.present().err().unwrap_or_else(|| s3_error!(NoSuchKey))),
    }
}

/// Opens the object of this key, if there is one.
pub(crate) fn find(store: &Store, key: &Key) -> S3Result<Option<Opened>> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(store.path(key));
    let Some(file) = there(file)? else { return Ok(None) };
    let about = file.metadata().map_err(ours)?;
    if !about.is_file() {
        return Ok(None);
    }
    if let Some(record) = store.keep.read(&file, key).map_err(ours)? {
        return Ok(Some(Opened { file, record }));
    }
    let etag = etag(&file).map_err(ours)?;
    let record = Record { size: about.len(), mtime: mtime(&about), etag, ..Record::default() };
    // Best effort: a folder that cannot be written is still read.
    if let Err(error) = store.keep.write(&file, key, &record) {
        tracing::debug!(%error, "a computed etag could not be kept");
    }
    Ok(Some(Opened { file, record }))
}

/// What `stat` says of the object at this path; `None` where no object is.
pub(crate) fn look(path: &Path) -> S3Result<Option<fs::Metadata>> {
    Ok(there(fs::symlink_metadata(path))?.filter(fs::Metadata::is_file))
}

fn there<T>(result: io::Result<T>) -> S3Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        // A link is no object.
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => Ok(None),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
            _ => Err(ours(error)),
        },
    }
}

fn etag(file: &File) -> io::Result<String> {
    let mut hash = Md5::default();
    let mut room = vec![0; CHUNK];
    let mut at = 0;
    loop {
        let read = file.read_at(&mut room, at)?;
        let Some(bytes) = room.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hash.update(bytes);
        at += u64::try_from(read).unwrap_or(0);
    }
    Ok(HEXLOWER.encode(&hash.finalize()))
}
