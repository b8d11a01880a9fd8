//! One original: its bytes by place, its digest, and its loans.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use reelpin_plan::container::{Abridge, Step};
use reelpin_schema::bucket::Bucket;
use reelpin_schema::cid::{Checksum, Digest};
use reelpin_schema::video::Video;
use tokio::sync::OnceCell;
use tokio_util::sync::DropGuard;

use super::cache::Stored;
use super::chunks::{CHUNK, Chunks};
use super::lend::Lent;
use super::pieces::{Overlay, Pieces};
use super::{Shared, SourceError, serve};
use crate::error::{Cause, TaskError};

/// Bytes that are hashed at a time.
const HASHED: usize = 256 << 10;

/// The original of one video. When the last holder lets go, so does the worker: of its fetches and
/// its part of the cache.
pub struct Source {
    chunks: Arc<Chunks>,
    checksum: Option<String>,
    shared: Arc<Shared>,
    beginning: OnceCell<Option<Beginning>>,
    /// The beginning alone is not to be believed.
    doubted: AtomicBool,
    _stop: DropGuard,
}

/// The film as if it ended soon.
struct Beginning {
    overlay: Arc<Overlay>,
    /// Ticks of the original's own clock.
    until: i64,
}

impl Source {
    pub(super) fn new(
        shared: &Arc<Shared>,
        bucket: &Bucket,
        video: &Video,
    ) -> Result<Self, TaskError> {
        let stop = shared.stop.child_token();
        let chunks = Arc::new(Chunks::new(shared, bucket, video, stop.clone())?);
        let (shared, checksum) = (Arc::clone(shared), video.checksum.clone());
        let (beginning, doubted) = (OnceCell::new(), AtomicBool::new(false));
        Ok(Self { chunks, checksum, shared, beginning, doubted, _stop: stop.drop_guard() })
    }

    pub(super) fn chunks(&self) -> Arc<Chunks> {
        Arc::clone(&self.chunks)
    }

    /// Whether it is still the original that the video's row names.
    pub(super) fn is_of(&self, video: &Video) -> bool {
        let chunks = &self.chunks;
        video.etag.as_ref() == Some(&chunks.etag)
            && (&video.file_path, video.file_size) == (&chunks.key, chunks.size)
    }

    /// Bytes of the whole.
    pub fn size(&self) -> u64 {
        self.chunks.size
    }

    /// Bytes that came from the bucket so far; those that were dropped and fetched again count
    /// twice.
    pub fn fetched(&self) -> u64 {
        self.chunks.fetched()
    }

    /// `length` bytes from `offset` on; fewer only at the end of the file.
    ///
    /// # Errors
    /// *Ours*: [`Cause::Source`].
    pub async fn read(&self, offset: u64, length: u64) -> Result<Bytes, TaskError> {
        Ok(self.bytes(offset, length).await?)
    }

    async fn bytes(&self, offset: u64, length: u64) -> Result<Bytes, SourceError> {
        let end = offset.saturating_add(length);
        let mut pieces = Pieces::new(Arc::clone(&self.chunks), offset, end);
        let mut read = BytesMut::new();
        while let Some(piece) = pieces.next().await? {
            if read.is_empty() && piece.len() as u64 == length {
                return Ok(piece);
            }
            read.extend_from_slice(&piece);
        }
        Ok(read.freeze())
    }

    /// Reads all of it: checksum, content id and size.
    ///
    /// # Errors
    /// *Ours*: [`Cause::Source`], and [`Cause::Changed`] when the video's row has another checksum.
    pub async fn digest(&self) -> Result<Digest, TaskError> {
        let mut checksum = Checksum::new();
        for number in 0..self.chunks.count() {
            let stored = self.chunks.chunk(number).await?;
            self.chunks.ahead(number + 1);
            checksum = tokio::task::spawn_blocking(move || hashed(checksum, &stored))
                .await
                .map_err(|_| Cause::Panic)?
                .map_err(SourceError::disk)?;
        }
        let digest = checksum.finish();
        if let Some(want) = &self.checksum
            && *want != digest.sha256_hex
        {
            return Err(Cause::Changed { got: digest.sha256_hex, want: want.clone() }.into());
        }
        Ok(digest)
    }

    /// Lends it to one run of a media program.
    ///
    /// # Errors
    /// *Ours*: this worker cannot listen on 127.0.0.1.
    pub async fn lend(self: &Arc<Self>) -> Result<Lent, TaskError> {
        self.lend_with(None).await
    }

    /// Lends what is shown before `until`, ticks of the original's own clock, to a run that reads no further: the
    /// tables of a long film then end after the first minute. Where they are small or not understood, or
    /// `until` lies beyond, it is lent whole.
    ///
    /// # Errors
    /// *Ours*: this worker cannot listen on 127.0.0.1.
    pub async fn lend_until(self: &Arc<Self>, until: i64) -> Result<Lent, TaskError> {
        self.lend_with(Some(until)).await
    }

    async fn lend_with(self: &Arc<Self>, until: Option<i64>) -> Result<Lent, TaskError> {
        let server = self.shared.server.get_or_try_init(|| serve::start(&self.shared)).await?;
        Ok(server.lend(Arc::clone(self), until))
    }

    /// What stands in place of the original's bytes for who wants what is shown before `until`.
    pub(super) async fn beginning(&self, until: i64) -> Result<Option<Arc<Overlay>>, SourceError> {
        if self.doubted.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let beginning = self.beginning.get_or_try_init(|| self.abridged()).await?;
        let enough = beginning.as_ref().filter(|beginning| until <= beginning.until);
        Ok(enough.map(|beginning| Arc::clone(&beginning.overlay)))
    }

    pub(super) fn doubt(&self) {
        self.doubted.store(true, Ordering::Relaxed);
    }

    async fn abridged(&self) -> Result<Option<Beginning>, SourceError> {
        let mut abridge = Abridge::new(self.size());
        let mut step = abridge.start();
        let mut last = None;
        loop {
            match step {
                Step::Done(patch) => {
                    return Ok(patch.map(|patch| {
                        let (offset, bytes) = (patch.offset, Bytes::from(patch.bytes));
                        let until = i64::try_from(patch.until).unwrap_or(i64::MAX);
                        Beginning { overlay: Arc::new(Overlay { offset, bytes }), until }
                    }));
                }
                Step::Read { offset, length } => {
                    let bytes = self.bytes(offset, length).await?;
                    // The tables go on, or the film does.
                    let number = offset / CHUNK;
                    if last.replace(number) == Some(number) {
                        self.chunks.ahead(number + 1);
                    }
                    step = abridge.next(&bytes);
                }
            }
        }
    }
}

fn hashed(mut checksum: Checksum, stored: &Stored) -> std::io::Result<Checksum> {
    let (mut file, mut piece) = (stored.open()?, vec![0; HASHED]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(checksum),
            read => checksum.push(&piece[..read]),
        }
    }
}
