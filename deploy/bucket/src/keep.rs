//! Where records are kept: in an attribute of the object's file, or in a file beside the bucket where
//! the file system has no attributes.
//!
//! The attribute is part of the file that `rename` gives its name, so that bytes and record appear,
//! change and vanish together. A file in `.reelpin/records` is written before the object's name and is
//! named after key and time of the object, so that the record of another writing is never taken for
//! it; one that a crash left behind is removed at start.
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{XattrFlags, fgetxattr, fsetxattr, getxattr};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use crate::key::Key;
use crate::record::{Record, mtime};

/// The attribute's name.
const ATTRIBUTE: &str = "user.reelpin";
/// The largest attribute that every file system takes which takes any, in bytes.
pub(crate) const MAX_RECORD: usize = 3500;

/// Where this bucket's records are.
#[derive(Clone, Debug)]
pub(crate) enum Keep {
    /// In the attribute `user.reelpin`.
    Attribute,
    /// In files of this folder.
    Beside(PathBuf),
}

impl Keep {
    /// Attributes if a file in use takes one, else files in `folder`.
    pub(crate) fn tried_on(file: &File, folder: &Path) -> io::Result<Self> {
        match fsetxattr(file, ATTRIBUTE, &[b'{'; MAX_RECORD], XattrFlags::empty()) {
            Ok(()) => Ok(Self::Attribute),
            Err(Errno::NOTSUP | Errno::NOSPC | Errno::RANGE | Errno::PERM | Errno::INVAL) => {
                fs::create_dir_all(folder)?;
                Ok(Self::Beside(folder.to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps the record of a file which is to have, or has, this key. Durable after the file's fsync.
    pub(crate) fn write(&self, file: &File, key: &Key, record: &Record) -> io::Result<()> {
        let text = serde_json::to_vec(record)?;
        match self {
            Self::Attribute => Ok(fsetxattr(file, ATTRIBUTE, &text, XattrFlags::empty())?),
            Self::Beside(folder) => {
                let path = folder.join(name(key, record.mtime));
                // Of this writing alone: others of the same key may be under way.
                let draft = folder.join(format!("{}.draft", name(key, record.mtime)));
                fs::write(&draft, &text)?;
                File::open(&draft)?.sync_all()?;
                fs::rename(&draft, &path)?;
                File::open(folder)?.sync_all()
            }
        }
    }

    /// The record of an open file with this key; `None` where there is none for the file as it is.
    pub(crate) fn read(&self, file: &File, key: &Key) -> io::Result<Option<Record>> {
        let about = file.metadata()?;
        let text = match self {
            Self::Attribute => attribute(|room| fgetxattr(file, ATTRIBUTE, room))?,
            Self::Beside(folder) => beside(folder, key, mtime(&about))?,
        };
        Ok(parsed(text, &about))
    }

    /// The same for a file that is not open, with what `stat` says of it.
    pub(crate) fn look(&self, path: &Path, key: &Key, about: &fs::Metadata) -> Option<Record> {
        let text = match self {
            Self::Attribute => attribute(|room| getxattr(path, ATTRIBUTE, room)),
            Self::Beside(folder) => beside(folder, key, mtime(about)),
        };
        parsed(text.ok()?, about)
    }

    /// Removes what is kept apart of an object that was replaced or deleted.
    pub(crate) fn forget(&self, key: &Key, mtime: i128) {
        if let Self::Beside(folder) = self {
            let _ = fs::remove_file(folder.join(name(key, mtime)));
        }
    }
}

/// The name of a record kept apart.
pub(crate) fn name(key: &Key, mtime: i128) -> String {
    let hash = Sha256::digest(key.as_str());
    format!("{}.{mtime}", data_encoding::HEXLOWER.encode(&hash))
}

fn attribute(read: impl Fn(&mut [u8]) -> Result<usize, Errno>) -> io::Result<Option<Vec<u8>>> {
    let mut room = vec![0; MAX_RECORD];
    match read(&mut room) {
        Ok(length) => {
            room.truncate(length);
            Ok(Some(room))
        }
        Err(Errno::NODATA | Errno::NOTSUP | Errno::RANGE) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn beside(folder: &Path, key: &Key, mtime: i128) -> io::Result<Option<Vec<u8>>> {
    match fs::read(folder.join(name(key, mtime))) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn parsed(text: Option<Vec<u8>>, about: &fs::Metadata) -> Option<Record> {
    let record: Record = serde_json::from_slice(&text?).ok()?;
    record.is_of(about).then_some(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(test: impl Fn(&Keep, &Path)) {
        let folder = tempfile::tempdir().unwrap();
        let beside = folder.path().join("records");
        fs::create_dir(&beside).unwrap();
        test(&Keep::Beside(beside), folder.path());
        test(&Keep::Attribute, folder.path());
    }

    fn record(file: &File, etag: &str) -> Record {
        let about = file.metadata().unwrap();
        Record {
            size: about.len(),
            mtime: mtime(&about),
            etag: etag.to_owned(),
            ..Record::default()
        }
    }

    #[test]
    fn a_record_is_of_one_writing_of_one_key() {
        both(|keep, folder| {
            let key = Key::parse("a/b").unwrap();
            let path = folder.join("file");
            let file = File::create(&path).unwrap();
            assert_eq!(keep.read(&file, &key).unwrap(), None);
            let record = record(&file, "e");
            keep.write(&file, &key, &record).unwrap();
            assert_eq!(keep.read(&file, &key).unwrap().as_ref(), Some(&record));
            let about = file.metadata().unwrap();
            assert_eq!(keep.look(&path, &key, &about).as_ref(), Some(&record));
            // Written again, to another size or at another time.
            file.set_modified(about.modified().unwrap() + std::time::Duration::from_nanos(1))
                .unwrap();
            assert_eq!(keep.read(&file, &key).unwrap(), None);
            file.set_modified(about.modified().unwrap()).unwrap();
            file.set_len(3).unwrap();
            file.set_modified(about.modified().unwrap()).unwrap();
            assert_eq!(keep.read(&file, &key).unwrap(), None);
        });
    }

    #[test]
    fn what_is_kept_apart_goes_with_its_object() {
        let folder = tempfile::tempdir().unwrap();
        let (records, bucket) = (folder.path().join("records"), folder.path().join("bucket"));
        fs::create_dir_all(bucket.join("a")).unwrap();
        fs::create_dir(&records).unwrap();
        let keep = Keep::Beside(records.clone());
        let (kept, gone) = (Key::parse("a/kept").unwrap(), Key::parse("a/gone").unwrap());
        for key in [&kept, &gone] {
            let file = File::create(bucket.join(key.as_str())).unwrap();
            keep.write(&file, key, &record(&file, "e")).unwrap();
        }
        // A crash between the object's end and its record's.
        fs::remove_file(bucket.join("a/gone")).unwrap();
        assert_eq!(fs::read_dir(&records).unwrap().count(), 2);
        crate::sweep::records(&records, &bucket).unwrap();
        let left = fs::read_dir(&records).unwrap().map(|entry| entry.unwrap().file_name());
        let about = fs::metadata(bucket.join("a/kept")).unwrap();
        assert_eq!(left.collect::<Vec<_>>(), [name(&kept, mtime(&about)).as_str()]);
        keep.forget(&kept, mtime(&about));
        assert_eq!(fs::read_dir(&records).unwrap().count(), 0);
    }
}
