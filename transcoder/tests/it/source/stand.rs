//! A bucket with originals, and a worker's sources over it.

use std::sync::Arc;

use bytes::Bytes;
use reelpin_schema::bucket::Bucket;
use reelpin_schema::keys;
use reelpin_schema::video::{Status, Video};
use reelpin_testing::{TestBucket, bucket};
use reelpin_transcoder::confine::WorkRoot;
use reelpin_transcoder::encoder::source::{Source, SourceError, Sources};
use reelpin_transcoder::{Cause, TaskError};
use tempfile::TempDir;
use time::OffsetDateTime;
use uuid::Uuid;

pub(super) const MIB: u64 = 1 << 20;

pub(super) struct Stand {
    pub(super) bucket: TestBucket,
    pub(super) sources: Sources,
    pub(super) folder: TempDir,
}

impl Stand {
    pub(super) async fn open() -> Self {
        Self::with_cache(1 << 40).await
    }

    pub(super) async fn with_cache(bytes: u64) -> Self {
        let folder = tempfile::Builder::new().prefix("rp-source-").tempdir().unwrap();
        let folders = WorkRoot::open(&folder.path().join("work")).unwrap();
        let sources = Sources::with_cache(folders, bytes);
        Self { bucket: bucket().await.unwrap(), sources, folder }
    }

    /// Stores bytes as an original.
    pub(super) async fn original(&self, bytes: impl Into<Bytes>) -> Video {
        let (bytes, key) = (bytes.into(), keys::original(Uuid::now_v7(), Uuid::now_v7()));
        let size = bytes.len() as u64;
        self.bucket.client.put(&key, bytes, "video/mp4").await.unwrap();
        let head = self.bucket.client.head(&key).await.unwrap().unwrap();
        video(&key, &head.etag, size)
    }

    /// Puts other bytes where an original is.
    pub(super) async fn replace(&self, video: &Video, bytes: Bytes) {
        let client = &self.bucket.client;
        client.delete(std::slice::from_ref(&video.file_path)).await.unwrap();
        client.put(&video.file_path, bytes, "video/mp4").await.unwrap();
    }

    pub(super) fn source(&self, video: &Video) -> Arc<Source> {
        self.source_at(&self.bucket.client, video)
    }

    pub(super) fn source_at(&self, bucket: &Bucket, video: &Video) -> Arc<Source> {
        self.sources.open(bucket, video).unwrap()
    }

    /// Files of the cache.
    pub(super) fn files(&self) -> usize {
        fn count(folder: &std::path::Path) -> usize {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|e| if e.path().is_dir() { count(&e.path()) } else { 1 }).sum()
        }
        count(&self.folder.path().join("work"))
    }
}

pub(super) fn video(key: &str, etag: &str, size: u64) -> Video {
    Video {
        id: Uuid::now_v7(),
        file_id: Uuid::now_v7(),
        title: String::new(),
        description: String::new(),
        filename: "film.mp4".to_owned(),
        file_path: key.to_owned(),
        file_size: size,
        etag: Some(etag.to_owned()),
        ipfs_cid: None,
        checksum: None,
        root_cid: None,
        status: Status::Uploaded,
        probe: None,
        plan: None,
        error: None,
        events: 0,
        ticket_until: OffsetDateTime::UNIX_EPOCH,
        looks: 0,
        created_at: OffsetDateTime::UNIX_EPOCH,
        updated_at: OffsetDateTime::UNIX_EPOCH,
    }
}

/// Bytes that differ from place to place.
pub(super) fn noise(length: u64) -> Bytes {
    let words = (0..length.div_ceil(8)).flat_map(|n| {
        (n ^ 0xda94_2042_e4dd_58b5).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()
    });
    words.take(usize::try_from(length).unwrap()).collect()
}

/// The words of an error of reading, and whether the bucket is only away.
pub(super) fn words<T>(read: Result<T, TaskError>) -> (String, bool) {
    match read.err() {
        Some(TaskError::Ours(Cause::Source(e))) => told(&e),
        other => panic!("{other:?}"),
    }
}

pub(super) fn told(e: &SourceError) -> (String, bool) {
    (e.to_string(), e.is_away())
}
