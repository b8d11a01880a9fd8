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
                let draft = path.with_extension("draft");
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
