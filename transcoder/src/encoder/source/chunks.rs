//! One original's chunks: from the cache, else from the bucket, each by one fetch at a time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reelpin_schema::bucket::{Bucket, BucketError};
use reelpin_schema::video::Video;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::cache::{Key, Stored};
use super::{Shared, SourceError};
use crate::confine::WorkFolder;
use crate::error::{Cause, TaskError};

/// Bytes of a chunk. Over a bucket on the same machine chunks of 1 to 16 MiB cost the same CPU and
/// time per byte, and as much as one GET of the whole (measured, within the noise of a busy machine). A look
/// that jumps about costs a chunk for each place, so small is good; and a bucket that takes 50 ms to
/// answer still gives 4 MiB at up to 80 MB/s.
pub(super) const CHUNK: u64 = 4 << 20;

/// The pauses before the second try of a fetch, the third and so on. With as many times
/// [`reelpin_schema::bucket::PART`] they are the longest that a fetch takes: 3 minutes.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1500)];

type Fetched = Result<Arc<Stored>, SourceError>;

/// The original of one video, as long as anyone reads it or a fetch is under way.
pub(super) struct Chunks {
    id: u64,
    bucket: Bucket,
    pub(super) key: String,
    pub(super) etag: String,
    pub(super) size: u64,
    /// Its chunks' files; removed with it.
    folder: WorkFolder,
    shared: Arc<Shared>,
    running: Mutex<HashMap<u64, watch::Receiver<Option<Fetched>>>>,
    fetched: AtomicU64,
    /// Ends its fetches.
    stop: CancellationToken,
}

impl Chunks {
    pub(super) fn new(
        shared: &Arc<Shared>,
        bucket: &Bucket,
        video: &Video,
        stop: CancellationToken,
    ) -> Result<Self, TaskError> {
        let etag = video.etag.clone().ok_or(Cause::Row("the video has no ETag"))?;
        Ok(Self {
            id: shared.next.fetch_add(1, Ordering::Relaxed),
            bucket: bucket.clone(),
            key: video.file_path.clone(),
            etag,
            size: video.file_size,
            folder: shared.folders.folder()?,
            shared: Arc::clone(shared),
            running: Mutex::default(),
            fetched: AtomicU64::new(0),
            stop,
        })
    }

    /// How many chunks there are.
    pub(super) fn count(&self) -> u64 {
        self.size.div_ceil(CHUNK)
    }

    /// Bytes that came from the bucket so far.
    pub(super) fn fetched(&self) -> u64 {
        self.fetched.load(Ordering::Relaxed)
    }

    /// A chunk, fetched now unless it is there or on its way.
    pub(super) async fn chunk(self: &Arc<Self>, number: u64) -> Fetched {
        if let Some(stored) = self.shared.cache.get(self.name(number)) {
            return Ok(stored);
        }
        let mut told = self.fetch(number);
        match told.wait_for(Option::is_some).await {
            Ok(told) => told.clone().unwrap_or(Err(SourceError::Gone)),
            // Its task panicked, or the runtime is going down.
            Err(_) => Err(SourceError::Gone),
        }
    }

    /// Has a chunk fetched that will be asked for next, if there is one.
    pub(super) fn ahead(self: &Arc<Self>, number: u64) {
        if number < self.count() && !self.shared.cache.has(self.name(number)) {
            drop(self.fetch(number));
        }
    }

    fn name(&self, number: u64) -> Key {
        (self.id, number)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<u64, watch::Receiver<Option<Fetched>>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who tells of a chunk's fetch, which goes on whoever listens: another reader may wait for it.
    fn fetch(self: &Arc<Self>, number: u64) -> watch::Receiver<Option<Fetched>> {
        let mut running = self.running();
        if let Some(told) = running.get(&number) {
            return told.clone();
        }
        // A fetch that just ended kept its chunk before it left the list.
        let (tell, told) = watch::channel(self.shared.cache.get(self.name(number)).map(Ok));
        if told.borrow().is_some() {
            return told;
        }
        running.insert(number, told.clone());
        let under_way = UnderWay { chunks: Arc::clone(self), number };
        self.shared.tasks.spawn(async move {
            let chunks = &under_way.chunks;
            let fetched = tokio::select! {
                biased;
                () = chunks.stop.cancelled() => Err(SourceError::Gone),
                fetched = chunks.load(number) => fetched,
            };
            drop(under_way);
            tell.send_replace(Some(fetched));
        });
        told
    }

    async fn load(self: &Arc<Self>, number: u64) -> Fetched {
        let _permit = self.shared.fetches.acquire().await.map_err(|_| SourceError::Gone)?;
        let pieces = self.try_some_times(number).await.map_err(Arc::new)?;
        let chunks = Arc::clone(self);
        let stored = tokio::task::spawn_blocking(move || {
            let stored = Stored::write(chunks.folder.path(), &pieces).map(Arc::new)?;
            chunks.shared.cache.put(chunks.name(number), Arc::clone(&stored));
            Ok(stored)
        });
        stored.await.map_err(|_| SourceError::Gone)?.map_err(SourceError::disk)
    }

    async fn try_some_times(&self, number: u64) -> Result<Vec<Bytes>, BucketError> {
        let from = number * CHUNK;
        let to = (from + CHUNK).min(self.size) - 1;
        let mut pauses = PAUSES.into_iter();
        loop {
            let got = self.bucket.get_range(&self.key, (from, to), &self.etag, self.size).await;
            let error = match got {
                Ok(pieces) => {
                    self.fetched.fetch_add(to - from + 1, Ordering::Relaxed);
                    return Ok(pieces);
                }
                Err(error) => error,
            };
            let again = error.is_away() || matches!(error, BucketError::Answer { .. });
            match pauses.next() {
                Some(pause) if again => {
                    tracing::warn!(key = %self.key, from, %error, "a range is asked for again");
                    sleep(pause).await;
                }
                _ => return Err(error),
            }
        }
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        self.shared.cache.forget(self.id);
    }
}

/// A fetch in the list of those that run.
struct UnderWay {
    chunks: Arc<Chunks>,
    number: u64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.chunks.running().remove(&self.number);
    }
}
