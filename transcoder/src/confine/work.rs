//! Work folders: one per run, gone afterwards, and those of a killed worker gone at the next start.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

/// Every worker has a folder of this name and a number below the root; nothing else is touched.
const WORKER: &str = "reelpin-work-";
/// Tries to find a free name; each lost one belongs to a live worker or is being swept.
const ATTEMPTS: u64 = 10_000;

/// A work folder could not be made.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The file system refused; ours.
    #[error("cannot use {path:?} for work folders")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// All names are taken; ours.
    #[error("{path:?} holds too many work folders")]
    Full {
        /// The root.
        path: PathBuf,
    },
}

/// This worker's own folder below the root. A lock on it, which the kernel drops with the process,
/// tells it from what a killed worker left, so several workers may share a root.
#[derive(Debug, Clone)]
pub struct WorkRoot(Arc<Own>);

#[derive(Debug)]
struct Own {
    path: PathBuf,
    /// Held for the lock.
    _lock: File,
    next: AtomicU64,
}

impl WorkRoot {
    /// Makes `root` where it is missing, removes what dead workers left there, and takes a folder
    /// of its own. Blocks; files are removed one by one.
    ///
    /// # Errors
    /// When no folder can be made. A leftover that cannot be removed is only logged.
    pub fn open(root: &Path) -> Result<Self, WorkError> {
        let failed = |source| WorkError::Io { path: root.to_owned(), source };
        private().recursive(true).create(root).map_err(failed)?;
        let root = root.canonicalize().map_err(failed)?;
        sweep(&root)?;
        for number in 0..ATTEMPTS {
            let path = root.join(format!("{WORKER}{number}"));
            match private().create(&path) {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(source) => return Err(WorkError::Io { path, source }),
            }
            // Another worker's sweep may have come between; then take the next name.
            if let Some(lock) = lock(&path) {
                return Ok(Self(Arc::new(Own { path, _lock: lock, next: AtomicU64::new(0) })));
            }
        }
        Err(WorkError::Full { path: root })
    }

    /// A new, empty folder, removed when the handle is dropped.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn folder(&self) -> Result<WorkFolder, WorkError> {
        // Only the number's uniqueness matters, and fetch_add alone gives it.
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let path = self.0.path.join(number.to_string());
        private().create(&path).map_err(|source| WorkError::Io { path: path.clone(), source })?;
        Ok(WorkFolder { path, _root: Arc::clone(&self.0) })
    }

    /// Bytes that are free where the folders are; `None` where the file system does not tell.
    pub fn free(&self) -> Option<u64> {
        let told = rustix::fs::statvfs(&self.0.path).ok()?;
        Some(told.f_bavail.saturating_mul(told.f_frsize))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// One run's folder, for its owner only; removed with all it holds when dropped, which blocks for
/// as long as the file system takes.
#[derive(Debug)]
pub struct WorkFolder {
    path: PathBuf,
    _root: Arc<Own>,
}

impl WorkFolder {
    /// Absolute, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Removes the folders of dead workers below `root`.
fn sweep(root: &Path) -> Result<(), WorkError> {
    let failed = |source| WorkError::Io { path: root.to_owned(), source };
    for entry in fs::read_dir(root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let ours = name
            .to_str()
            .and_then(|name| name.strip_prefix(WORKER))
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
        // The lock is held while it is removed, and dropped with the folder.
        if ours && let Some(_lock) = lock(&entry.path()) {
            tracing::info!(path = %entry.path().display(), "removed what a killed worker left");
            remove(&entry.path());
        }
    }
    Ok(())
}

/// The lock on a folder, not through a symbolic link; `None` when another holds it, or it is no
/// longer what stands at `path`.
fn lock(path: &Path) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = open(path, flags, Mode::empty()).ok()?;
    flock(&folder, FlockOperation::NonBlockingLockExclusive).ok()?;
    let folder = File::from(folder);
    let (held, there) = (folder.metadata().ok()?, fs::symlink_metadata(path).ok()?);
    (held.ino() == there.ino() && held.dev() == there.dev()).then_some(folder)
}

/// Removes a tree without following links in it (`remove_dir_all` opens each step relative to the
/// one above and refuses links); what stays is found by the next sweep.
fn remove(path: &Path) {
    if let Err(error) = fs::remove_dir_all(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "cannot remove a work folder");
    }
}

fn private() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}
