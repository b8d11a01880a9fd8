//! What was published and is no more, until a collection has hidden it: the folder `shared` still
//! holds it, and perhaps another published root needs it.
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ipld_core::cid::Cid;

use super::tree::Marks;
use crate::engines::secret;

/// The marks of such blocks, and a file that outlives a stop: whoever starts then collects first.
pub(super) struct Withdrawn {
    file: PathBuf,
    marks: Mutex<Marks>,
}

impl Withdrawn {
    /// With the file that says whether an earlier process left something.
    pub(super) fn open(file: PathBuf) -> Self {
        Self { file, marks: Mutex::default() }
    }

    /// Whether an earlier process left something.
    pub(super) fn is_left(&self) -> bool {
        self.file.exists()
    }

    /// Hides these too.
    pub(super) fn add(&self, gone: Marks) -> io::Result<()> {
        self.marks().extend(gone);
        secret::write_whole(&self.file, b"")
    }

    /// These are published again.
    pub(super) fn publish<'a>(&self, cids: impl Iterator<Item = &'a Cid>) {
        let mut marks = self.marks();
        cids.for_each(|cid| marks.remove(cid));
    }

    /// Whether this block is hidden.
    pub(super) fn holds(&self, cid: &Cid) -> bool {
        self.marks().contains(cid)
    }

    /// A collection has hidden all of it.
    pub(super) fn clear(&self) -> io::Result<()> {
        self.marks().clear();
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
