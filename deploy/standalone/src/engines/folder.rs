//! The data folder: made private, and held by one process at a time.
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::EngineError;

/// The data folder, locked until this value is dropped or the process ends, however it ends.
pub(super) struct DataFolder {
    pub(super) path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder where it is missing and takes its lock.
    pub(super) fn open(path: &Path) -> Result<Self, EngineError> {
        let at = |source| EngineError::Folder { path: path.to_owned(), source };
        make_private(path).map_err(at)?;
        let path = path.canonicalize().map_err(at)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("engines.lock"))
            .map_err(at)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(EngineError::InUse { path }),
            Err(TryLockError::Error(source)) => Err(at(source)),
        }
    }

    /// A folder below this one that only we can enter, made where it is missing.
    pub(super) fn private(&self, name: &str) -> Result<PathBuf, EngineError> {
        let path = self.path.join(name);
        match make_private(&path) {
            Ok(()) => Ok(path),
            Err(source) => Err(EngineError::Folder { path, source }),
        }
    }
}

/// Makes a folder (and its parents) of mode 0700; one that exists is left as it is.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|m| m.is_dir()) {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}
