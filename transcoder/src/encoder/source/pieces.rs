//! Bytes of an original in order, a piece at a time.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reelpin_plan::limits;
use reelpin_schema::bucket::BucketError;
use tokio::time::timeout;

use super::SourceError;
use super::cache::Stored;
use super::chunks::{CHUNK, Chunks};

/// The first piece is small, since a look at a file often takes no more; each further one is twice
/// as large.
const FIRST: u64 = 64 << 10;

/// The largest piece.
const LARGEST: u64 = 512 << 10;

/// Who has taken so many bytes in order will want the next chunk too.
const AHEAD_AFTER: u64 = 1 << 20;

/// The longest that a chunk is waited for: less than a program waits for its bytes, so that it is
/// always we who say what is wrong.
pub(super) const PATIENCE: Duration = Duration::from_secs(limits::READ_SECONDS - 60);

/// A chunk that is being read. The file's name may go meanwhile; its bytes stay.
struct Open {
    number: u64,
    file: Arc<File>,
    _stored: Arc<Stored>,
}

/// Bytes that stand in the place of an original's own, in this worker's view alone.
#[derive(Debug)]
pub(super) struct Overlay {
    pub(super) offset: u64,
    pub(super) bytes: Bytes,
}

impl Overlay {
    /// What lies at `at`, up to, and without, `end`; empty where these bytes are the original's.
    fn piece(&self, at: u64, end: u64) -> Bytes {
        let length = self.bytes.len() as u64;
        let from = at.checked_sub(self.offset).unwrap_or(length).min(length);
        let to = end.saturating_sub(self.offset).clamp(from, length);
        // Both are at most the length.
        self.bytes.slice(from as usize..to as usize)
    }
}

/// A reader of some bytes of an original. Its futures may be dropped at any await; then the same
/// piece is read again.
pub(super) struct Pieces {
    chunks: Arc<Chunks>,
    overlay: Option<Arc<Overlay>>,
    at: u64,
    end: u64,
    given: u64,
    piece: u64,
    open: Option<Open>,
}

impl Pieces {
    /// Reads from byte `from` up to, and without, byte `end`, or the end of the file.
    pub(super) fn new(chunks: Arc<Chunks>, from: u64, end: u64) -> Self {
        let end = end.min(chunks.size);
        Self { chunks, overlay: None, at: from, end, given: 0, piece: FIRST, open: None }
    }

    /// The same with other bytes in some place.
    pub(super) fn over(self, overlay: Option<Arc<Overlay>>) -> Self {
        Self { overlay, ..self }
    }

    /// The next bytes; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, SourceError> {
        if self.at >= self.end {
            return Ok(None);
        }
        let mut end = self.end;
        if let Some(overlay) = &self.overlay {
            let piece = overlay.piece(self.at, end);
            if !piece.is_empty() {
                self.at += piece.len() as u64;
                return Ok(Some(piece));
            }
            if self.at < overlay.offset {
                end = end.min(overlay.offset);
            }
        }
        let number = self.at / CHUNK;
        let file = self.file(number).await?;
        let (at, begin) = (self.at, number * CHUNK);
        let length = self.piece.min(end - at).min(begin + CHUNK - at);
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
            // Fails rather than gives less.
            file.read_exact_at(&mut bytes, at - begin).map(|()| Bytes::from(bytes))
        });
        let bytes = read.await.map_err(|_| SourceError::Gone)?.map_err(SourceError::disk)?;
        self.at += length;
        self.given += length;
        self.piece = (self.piece * 2).min(LARGEST);
        if self.given >= AHEAD_AFTER && (number + 1) * CHUNK < self.end {
            self.chunks.ahead(number + 1);
        }
        Ok(Some(bytes))
    }

    async fn file(&mut self, number: u64) -> Result<Arc<File>, SourceError> {
        if let Some(open) = self.open.as_ref().filter(|open| open.number == number) {
            return Ok(Arc::clone(&open.file));
        }
        self.open = None;
        let stored = timeout(PATIENCE, self.chunks.chunk(number)).await.map_err(|_| late())??;
        let held = Arc::clone(&stored);
        let file = tokio::task::spawn_blocking(move || held.open()).await;
        let file = file.map_err(|_| SourceError::Gone)?.map_err(SourceError::disk)?;
        let file = Arc::new(file);
        self.open = Some(Open { number, file: Arc::clone(&file), _stored: stored });
        Ok(file)
    }
}

/// The bucket did not give in time what a program waits for.
pub(super) fn late() -> SourceError {
    Arc::new(BucketError::TimedOut { call: "GetObject" }).into()
}
