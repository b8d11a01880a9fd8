//! The originals that tasks at work read: by range, through a bounded cache on this worker's disk,
//! so that nothing waits for a whole download.
//!
//! [`Sources`] -> [`Source`] (`original`), one of them: `chunks` (each fetched once, from `cache` or the
//! bucket) -> `pieces` (bytes in order). A media program reads over a loopback address that is
//! lent to it for one run: `lend` ([`Lent`]), `serve` (connections), `answer` (requests).
//!
//! Invariant: bytes are those of the object whose ETag the video's row has, or there is an error.

mod answer;
mod cache;
mod chunks;
mod error;
mod lend;
mod original;
mod pieces;
mod serve;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use reelpin_schema::bucket::Bucket;
use reelpin_schema::video::Video;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use cache::Cache;

pub use error::SourceError;
pub use lend::Lent;
pub use original::Source;

use crate::confine::WorkRoot;
use crate::error::TaskError;

/// The most bytes that a worker keeps of all originals: the largest one whole, and some of others.
const CACHED: u64 = 8 << 30;

/// How many originals stay open after their last task let go, so that the next task of the same
/// video finds what is there.
const KEEP: usize = 4;

/// How long an original stays that no task asks for.
const IDLE: Duration = Duration::from_secs(300);

/// Chunks that are fetched at the same time; their bytes are in memory until they are written.
const FETCHES: usize = 8;

/// What all sources of a worker have in common.
struct Shared {
    folders: WorkRoot,
    cache: Cache,
    /// The next source's number.
    next: AtomicU64,
    fetches: Semaphore,
    /// Fetches, and the server.
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Listens when the first original is lent.
    server: OnceCell<serve::Server>,
}

/// The originals that this worker reads. When it is dropped, all it runs ends.
pub struct Sources {
    shared: Arc<Shared>,
    known: Mutex<Known>,
    _stop: DropGuard,
}

#[derive(Default)]
struct Known {
    open: HashMap<Uuid, Weak<Source>>,
    recent: Vec<(Uuid, Arc<Source>, Instant)>,
}

impl Sources {
    /// With a cache in work folders, of at most 8 GiB and half of what is free there.
    pub fn new(folders: WorkRoot) -> Self {
        let limit = folders.free().map_or(CACHED, |free| CACHED.min(free / 2));
        Self::with_cache(folders, limit)
    }

    /// With a cache of at most `bytes`. Chunks that are just being read or written come on top.
    pub fn with_cache(folders: WorkRoot, bytes: u64) -> Self {
        let stop = CancellationToken::new();
        let shared = Shared {
            folders,
            cache: Cache::new(bytes),
            next: AtomicU64::new(0),
            fetches: Semaphore::new(FETCHES),
            tasks: TaskTracker::new(),
            stop: stop.clone(),
            server: OnceCell::new(),
        };
        Self { shared: Arc::new(shared), known: Mutex::default(), _stop: stop.drop_guard() }
    }

    /// The original of a video, the same for all who ask; nothing is fetched yet.
    ///
    /// # Errors
    /// *Ours*: the video was never uploaded, or there is no folder for it.
    pub fn open(&self, bucket: &Bucket, video: &Video) -> Result<Arc<Source>, TaskError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.open.retain(|_, source| source.strong_count() > 0);
        let found = known.open.get(&video.id).and_then(Weak::upgrade);
        let source = match found.filter(|source| source.is_of(video)) {
            Some(source) => source,
            None => Arc::new(Source::new(&self.shared, bucket, video)?),
        };
        known.open.insert(video.id, Arc::downgrade(&source));
        known.recent.retain(|(id, ..)| *id != video.id);
        known.recent.push((video.id, Arc::clone(&source), Instant::now()));
        if known.recent.len() > KEEP {
            known.recent.remove(0);
        }
        Ok(source)
    }

    /// Lets a video's original go as soon as no task holds it.
    pub fn forget(&self, video: Uuid) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.recent.retain(|(id, ..)| *id != video);
    }

    /// Lets go what no task has asked for lately: its video failed, was cancelled or is elsewhere.
    pub fn tidy(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.recent.retain(|(.., asked)| asked.elapsed() < IDLE);
    }

    /// Bytes in the cache.
    pub fn cached(&self) -> u64 {
        self.shared.cache.bytes()
    }

    /// Ends all fetches and the server, and waits until they have ended. Nothing can be read
    /// afterwards.
    pub async fn close(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}
