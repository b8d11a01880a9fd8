//! Chunks of originals on this worker's disk: a file each, the least recently used dropped first
//! when together they are more than they may be.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// A chunk's file. It goes with the last holder, so nobody ever reads what was dropped meanwhile.
#[derive(Debug)]
pub(super) struct Stored {
    path: PathBuf,
    size: u64,
}

impl Stored {
    /// Writes a chunk into a file of its own in `folder`. Blocks.
    pub(super) fn write(folder: &Path, pieces: &[Bytes]) -> io::Result<Self> {
        // A chunk that is fetched again must not share a name with one that is still being read.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let path = folder.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
        let mut options = File::options();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&path)?;
        // From here on the file goes with it, also when a write fails.
        let mut stored = Self { path, size: 0 };
        for piece in pieces {
            file.write_all(piece)?;
            stored.size += piece.len() as u64;
        }
        Ok(stored)
    }

    /// Opens it. Blocks.
    pub(super) fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a cached chunk");
        }
    }
}

/// Which chunk of which source.
pub(super) type Key = (u64, u64);

/// The chunks that all sources of a worker keep, at most `limit` bytes; what is just being read or
/// written comes on top.
pub(super) struct Cache {
    limit: u64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    bytes: u64,
    clock: u64,
    chunks: HashMap<Key, (u64, Arc<Stored>)>,
    /// By the time of their last use.
    used: BTreeMap<u64, Key>,
}

impl Cache {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, kept: Mutex::default() }
    }

    /// A chunk, which becomes the one used last.
    pub(super) fn get(&self, key: Key) -> Option<Arc<Stored>> {
        let mut kept = self.lock();
        let now = kept.tick();
        let (at, stored) = kept.chunks.get_mut(&key)?;
        let (before, stored) = (std::mem::replace(at, now), Arc::clone(stored));
        kept.used.remove(&before);
        kept.used.insert(now, key);
        Some(stored)
    }

    /// Whether a chunk is there.
    pub(super) fn has(&self, key: Key) -> bool {
        self.lock().chunks.contains_key(&key)
    }

    /// Keeps a chunk, as the one used last, and drops others for it. Removes files, so it blocks.
    pub(super) fn put(&self, key: Key, stored: Arc<Stored>) {
        let mut dropped = Vec::new();
        {
            let mut kept = self.lock();
            dropped.extend(kept.remove(key));
            let now = kept.tick();
            kept.bytes += stored.size;
            kept.chunks.insert(key, (now, stored));
            kept.used.insert(now, key);
            while kept.bytes > self.limit
                && let Some((_, oldest)) = kept.used.first_key_value()
            {
                let oldest = *oldest;
                dropped.extend(kept.remove(oldest));
            }
        }
    }

    /// Drops all chunks of a source. Removes files, so it blocks.
    pub(super) fn forget(&self, source: u64) {
        let mut kept = self.lock();
        let keys: Vec<Key> = kept.chunks.keys().filter(|key| key.0 == source).copied().collect();
        let dropped: Vec<_> = keys.into_iter().filter_map(|key| kept.remove(key)).collect();
        drop(kept);
        drop(dropped);
    }

    /// Bytes kept.
    pub(super) fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn remove(&mut self, key: Key) -> Option<Arc<Stored>> {
        let (at, stored) = self.chunks.remove(&key)?;
        self.used.remove(&at);
        self.bytes -= stored.size;
        Some(stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn the_least_recently_used_goes_first_and_its_file_with_its_last_reader() {
        let folder = tempfile::tempdir().unwrap();
        let chunk = || {
            let pieces = [Bytes::from_static(b"1234"), Bytes::from_static(b"567890")];
            Arc::new(Stored::write(folder.path(), &pieces).unwrap())
        };
        let cache = Cache::new(30);
        for number in 0..3 {
            cache.put((7, number), chunk());
        }
        let first = cache.get((7, 0)).unwrap();
        cache.put((8, 0), chunk());
        assert!(!cache.has((7, 1)) && cache.has((7, 0)) && cache.has((7, 2)));
        assert_eq!((cache.bytes(), files(folder.path())), (30, 3));
        // The same chunk again takes the place of the first.
        cache.put((8, 0), chunk());
        assert_eq!((cache.bytes(), files(folder.path())), (30, 3));
        cache.forget(7);
        assert_eq!((cache.bytes(), files(folder.path())), (10, 2));
        assert_eq!(io::read_to_string(first.open().unwrap()).unwrap(), "1234567890");
        drop(first);
        assert_eq!(files(folder.path()), 1);
    }

    #[test]
    fn a_chunk_larger_than_the_cache_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let stored = Stored::write(folder.path(), &[Bytes::from_static(b"12345")]).unwrap();
        let cache = Cache::new(4);
        cache.put((1, 1), Arc::new(stored));
        assert_eq!((cache.bytes(), files(folder.path())), (0, 0));
    }
}
