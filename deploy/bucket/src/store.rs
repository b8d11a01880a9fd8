//! The folder: where everything lies, and how names in it become durable.
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use s3s::dto::CORSRule;
use s3s::{S3Result, s3_error};
use sha2::{Digest as _, Sha256};

use crate::keep::Keep;
use crate::key::Key;
use crate::record::mtime;
use crate::{cors, sweep};

/// What is ours alone, beside the bucket's folder. No bucket's name begins with a dot.
const OWN: &str = ".reelpin";
/// Changes of names that can go on side by side.
const TURNS: usize = 64;
/// How often a folder may vanish under a write before that is called an error.
const TRIES: usize = 100;

/// Why a bucket's folder could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system refused something.
    #[error("cannot use {path}: {source}")]
    Storage {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Objects get their names by `rename`, which needs one file system.
    #[error("{path} lies on another file system than the folder it is in")]
    OtherFileSystem {
        /// The bucket's folder.
        path: PathBuf,
    },
}

/// An opened folder with one bucket.
#[derive(Debug)]
pub(crate) struct Store {
    /// The bucket's name.
    pub(crate) name: String,
    /// The bucket's folder: an object lies at its key below it.
    pub(crate) bucket: PathBuf,
    /// Drafts, removed at start.
    pub(crate) drafts: PathBuf,
    /// Uploads in parts, one folder each.
    pub(crate) uploads: PathBuf,
    /// The file of the CORS rules.
    pub(crate) cors_file: PathBuf,
    /// The CORS rules in force.
    pub(crate) cors: RwLock<Vec<CORSRule>>,
    /// Where records are.
    pub(crate) keep: Keep,
    /// One change of a key's name at a time; each stands for many keys.
    turns: Vec<Mutex<()>>,
    /// One change of a key's upload in parts at a time.
    pub(crate) uploading: Vec<std::sync::Arc<tokio::sync::Mutex<()>>>,
    /// One maker of folders at a time, so that nobody relies on one whose name is not synced.
    folders: Mutex<()>,
    drafted: AtomicU64,
    stamped: AtomicI64,
}

impl Store {
    /// Opens `<root>/<name>`, makes what is missing and removes what a crash left.
    pub(crate) fn open(root: &Path, name: &str) -> Result<Self, OpenError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Storage { path, source }
        };
        let root = root.canonicalize().map_err(at(root))?;
        let own = root.join(OWN);
        let bucket = root.join(name);
        let (drafts, uploads) = (own.join("drafts"), own.join("uploads"));
        for folder in [&bucket, &drafts, &uploads] {
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        let device = |path: &Path| {
            use std::os::unix::fs::MetadataExt as _;
            fs::metadata(path).map(|about| about.dev()).map_err(at(path))
        };
        if device(&bucket)? != device(&drafts)? {
            return Err(OpenError::OtherFileSystem { path: bucket });
        }
        sweep::drafts(&drafts).map_err(at(&drafts))?;
        // The file system's own clock, and whether it knows attributes.
        let trial = drafts.join("trial");
        let file = File::create(&trial).map_err(at(&trial))?;
        let now = file.metadata().map(|about| mtime(&about)).map_err(at(&trial))?;
        let keep = Keep::tried_on(&file, &own.join("records")).map_err(at(&own))?;
        fs::remove_file(&trial).map_err(at(&trial))?;
        sweep::uploads(&uploads, now).map_err(at(&uploads))?;
        sweep::foreign(&root).map_err(at(&root))?;
        let cors_file = own.join("cors.json");
        let rules = cors::read(&cors_file).map_err(at(&cors_file))?;
        if let Keep::Beside(folder) = &keep {
            sweep::records(folder, &bucket).map_err(at(folder))?;
        }
        for folder in [&own, &root] {
            sync_folder(folder).map_err(at(folder))?;
        }
        Ok(Self {
            name: name.to_owned(),
            bucket,
            drafts,
            uploads,
            cors_file,
            cors: RwLock::new(rules),
            keep,
            turns: (0..TURNS).map(|_| Mutex::default()).collect(),
            uploading: (0..TURNS).map(|_| std::sync::Arc::default()).collect(),
            folders: Mutex::new(()),
            drafted: AtomicU64::new(0),
            stamped: AtomicI64::new(i64::try_from(now).unwrap_or(0)),
        })
    }

    /// Where the object of this key lies.
    pub(crate) fn path(&self, key: &Key) -> PathBuf {
        self.bucket.join(key.as_str())
    }

    /// Whether the bucket's folder is there at all. Without it (a disk that is not mounted) no object
    /// may be said to be missing.
    pub(crate) fn present(&self) -> S3Result<()> {
        if self.bucket.is_dir() { Ok(()) } else { Err(s3_error!(NoSuchBucket)) }
    }

    /// A path for a draft that no other has.
    pub(crate) fn draft_path(&self) -> PathBuf {
        self.drafts.join(format!("{:x}", self.drafted.fetch_add(1, Ordering::Relaxed)))
    }

    /// Gives a file a time of writing, in nanoseconds since 1970, that no file had before and that
    /// lies at or just after the time it was written; gives the time as the file system kept it.
    pub(crate) fn stamp(&self, file: &File) -> io::Result<i128> {
        let now = i64::try_from(mtime(&file.metadata()?)).unwrap_or(0);
        let mut taken = 0;
        let _ = self.stamped.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
            taken = now.max(last.saturating_add(1));
            Some(taken)
        });
        let after = Duration::from_nanos(u64::try_from(taken).unwrap_or(0));
        file.set_modified(SystemTime::UNIX_EPOCH + after)?;
        Ok(mtime(&file.metadata()?))
    }

    /// Waits until nobody else changes what this key names.
    pub(crate) fn turn(&self, key: &Key) -> MutexGuard<'_, ()> {
        locked(self.turns.get(slot(key.as_str())).unwrap_or(&self.folders))
    }

    /// Runs `place`, which puts a file into the folder `parent` below the bucket, made durable where it
    /// is missing, and again when a delete took the folder away meanwhile; then syncs the new name.
    pub(crate) fn place(
        &self,
        parent: &Path,
        mut place: impl FnMut() -> io::Result<()>,
    ) -> io::Result<()> {
        for _ in 0..TRIES {
            self.make(parent)?;
            match place() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => return other,
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    fn make(&self, folder: &Path) -> io::Result<()> {
        let _mine = locked(&self.folders);
        let mut missing = Vec::new();
        let mut at = folder;
        while at != self.bucket && !fs::symlink_metadata(at).is_ok_and(|about| about.is_dir()) {
            missing.push(at);
            let Some(above) = at.parent() else { break };
            at = above;
        }
        for folder in missing.iter().rev() {
            // Where something else has the name, an object is in the way.
            fs::create_dir(folder).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
                _ => error,
            })?;
            if let Some(above) = folder.parent() {
                sync_folder(above)?;
            }
        }
        Ok(())
    }

    /// Removes the folder and those above it, within the bucket, as long as they are empty.
    pub(crate) fn prune(&self, folder: &Path) {
        let _mine = locked(&self.folders);
        let mut at = folder;
        while at != self.bucket && at.starts_with(&self.bucket) && fs::remove_dir(at).is_ok() {
            let Some(above) = at.parent() else { break };
            at = above;
        }
    }
}

/// Which of the turns is this text's.
pub(crate) fn slot(text: &str) -> usize {
    let hash = Sha256::digest(text);
    hash.first().map_or(0, |byte| usize::from(*byte)) % TURNS
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn locked(lock: &Mutex<()>) -> MutexGuard<'_, ()> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
