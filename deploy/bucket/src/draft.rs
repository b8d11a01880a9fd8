//! A file that is to become an object, or a part of one.
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use bytes::Bytes;

use crate::store::Store;

/// The kernel begins to write to the disk whenever this much has come, in bytes, so that little is
/// left for the sync at the end.
const WRITE_BACK: u64 = 16 << 20;

/// A new file in the folder of drafts; it is removed with this value unless it was given a name.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The file, open for reading and writing.
    pub(crate) file: File,
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// What was written to it, in bytes.
    pub(crate) size: u64,
    begun: u64,
    named: bool,
}

impl Draft {
    /// Makes an empty one.
    pub(crate) fn new(store: &Store) -> io::Result<Self> {
        let path = store.draft_path();
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        Ok(Self { file, path, size: 0, begun: 0, named: false })
    }

    /// Appends bytes.
    pub(crate) fn write(&mut self, bytes: &Bytes) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.size += u64::try_from(bytes.len()).unwrap_or(0);
        if self.size - self.begun >= WRITE_BACK {
            self.write_back();
        }
        Ok(())
    }

    /// Appends a whole file, copied by the kernel where it can.
    pub(crate) fn append(&mut self, mut from: &File) -> io::Result<u64> {
        let copied = io::copy(&mut from, &mut self.file)?;
        self.size += copied;
        self.write_back();
        Ok(copied)
    }

    /// The file has a name now, and stays.
    pub(crate) fn named(mut self) {
        self.named = true;
    }

    fn write_back(&mut self) {
        use std::os::fd::AsRawFd as _;
        let (from, length) = (self.begun, self.size - self.begun);
        self.begun = self.size;
        let (Ok(from), Ok(length)) = (i64::try_from(from), i64::try_from(length)) else { return };
        // SAFETY: takes numbers and an open file, touches no memory of ours. It is a hint: whether it
        // succeeds does not matter, the sync at the end is what counts.
        unsafe {
            libc::sync_file_range(self.file.as_raw_fd(), from, length, libc::SYNC_FILE_RANGE_WRITE);
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.named {
            let _ = fs::remove_file(&self.path);
        }
    }
}
