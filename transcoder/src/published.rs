//! The published folder of a video, as its rows describe it: relative names, content ids, sizes.

use reelpin_schema::cid::{Cid, CidError, dag_size};
use reelpin_schema::db::Db;
use reelpin_schema::file::Role;
use reelpin_schema::segment::Segment;
use reelpin_schema::transcode::{Format, Transcode};
use reelpin_schema::{file, keys, segment, transcode};
use uuid::Uuid;

use crate::error::TaskError;

/// Rows of segments that one transaction reads.
const PAGE: i64 = 1000;

/// A file of the folder.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its key in the bucket.
    pub(crate) key: String,
    /// Its content id.
    pub(crate) cid: Cid,
    /// Bytes.
    pub(crate) size: u64,
}

/// Every stored file of a video that may be played.
#[derive(Debug, Default)]
pub(crate) struct Published {
    prefix: String,
    entries: Vec<Entry>,
    master: Option<Entry>,
}

impl Published {
    /// Reads the rows of a packaged video.
    pub(crate) async fn read(db: &Db, video: Uuid) -> Result<Self, TaskError> {
        let (rows, files) = db
            .run_tx("published.read", async move |tx| {
                let rows = transcode::of_video(tx, video).await?;
                Ok::<_, TaskError>((rows, file::of_video(tx, video).await?))
            })
            .await?;
        let mut published = Self::new(video);
        for row in rows.iter().filter(|row| row.format == Format::Hls) {
            let segments = segments(db, row.id).await?;
            published.add_hls(row, &segments)?;
        }
        for row in rows.iter().filter(|row| row.format == Format::Mp4) {
            if let (Some(path), Some(cid), Some(size)) = (&row.file_path, &row.file_cid, row.size) {
                published.add(path, cid, size)?;
            }
        }
        for file in &files {
            match file.role {
                Role::Poster => published.add(&file.path, &file.cid, file.size)?,
                Role::Master => published.set_master(&file.path, &file.cid, file.size)?,
            }
        }
        Ok(published)
    }

    /// An empty folder of a video.
    pub(crate) fn new(video: Uuid) -> Self {
        Self { prefix: keys::media(video), ..Self::default() }
    }

    /// Adds init and segments of a rendition, and its final playlist when the row has it.
    pub(crate) fn add_hls(
        &mut self,
        row: &Transcode,
        segments: &[Segment],
    ) -> Result<(), CidError> {
        if let (Some(path), Some(cid), Some(size)) = (&row.init_path, &row.init_cid, row.init_size)
        {
            self.add(path, cid, size)?;
        }
        for segment in segments {
            self.add(&segment.path, &segment.cid, segment.size)?;
        }
        if let (Some(path), Some(cid), Some(size)) = (&row.file_path, &row.file_cid, row.file_size)
        {
            self.add(path, cid, size)?;
        }
        Ok(())
    }

    /// Adds a file by its key.
    pub(crate) fn add(&mut self, key: &str, cid: &str, size: u64) -> Result<(), CidError> {
        self.entries.push(Entry { key: key.to_owned(), cid: cid.parse()?, size });
        Ok(())
    }

    /// Takes a file out; one that is not there is fine.
    pub(crate) fn remove(&mut self, key: &str) {
        self.entries.retain(|entry| entry.key != key);
    }

    /// Sets the master playlist, which the folder also links as `master.m3u8`.
    pub(crate) fn set_master(&mut self, key: &str, cid: &str, size: u64) -> Result<(), CidError> {
        self.master = Some(Entry { key: key.to_owned(), cid: cid.parse()?, size });
        Ok(())
    }

    /// Every file once.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().chain(&self.master)
    }

    /// Names, content ids and weights for the folder.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, Cid, u64)> {
        let named = self
            .stored()
            .map(|e| (e.key.strip_prefix(&self.prefix).unwrap_or(&e.key), e.cid, dag_size(e.size)));
        let alias = self.master.iter().map(|e| ("master.m3u8", e.cid, dag_size(e.size)));
        named.chain(alias)
    }
}

/// All segments of a rendition, in order.
pub(crate) async fn segments(db: &Db, transcode: Uuid) -> Result<Vec<Segment>, TaskError> {
    let mut all: Vec<Segment> = Vec::new();
    loop {
        let from = all.last().map_or(0, |last| last.sequence + 1);
        let page = db
            .run_tx("segments.read", async move |tx| {
                segment::of_transcode(tx, transcode, from, PAGE).await
            })
            .await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
