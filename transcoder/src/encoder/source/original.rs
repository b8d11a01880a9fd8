//! One original: its bytes by place, its digest, and its loans.

use std::io::Read as _;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use reelpin_schema::bucket::Bucket;
use reelpin_schema::cid::{Checksum, Digest};
use reelpin_schema::video::Video;
use tokio_util::sync::DropGuard;

use super::cache::Stored;
use super::chunks::Chunks;
use super::lend::Lent;
use super::pieces::Pieces;
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
    _stop: DropGuard,
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
        Ok(Self { chunks, checksum, shared, _stop: stop.drop_guard() })
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
        let server = self.shared.server.get_or_try_init(|| serve::start(&self.shared)).await?;
        Ok(server.lend(Arc::clone(self)))
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
