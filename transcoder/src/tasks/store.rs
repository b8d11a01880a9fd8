//! Storing a rendition's init and segments as they come, each committed under the lease.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use reelpin_plan::{Segment, fmp4};
use reelpin_schema::cid::FileDag;
use reelpin_schema::queue::Progress;
use reelpin_schema::task::{self, Lease};
use reelpin_schema::transcode::{self, Init, Transcode};
use reelpin_schema::{keys, segment};
use uuid::Uuid;

use crate::error::{Cause, TaskError};
use crate::published::segments;
use crate::work::Work;

/// Progress is told at most this often.
const TELL: Duration = Duration::from_millis(500);

/// One task's way into the bucket and the rows, shared by its renditions.
pub(super) struct Store<'a> {
    work: &'a Work,
    lease: &'a Lease,
    planned: u32,
    /// One commit at a time: all of them touch the task's row.
    door: tokio::sync::Mutex<()>,
    told: Mutex<Option<Instant>>,
}

/// A rendition's init as this attempt knows it.
pub(super) enum Opened {
    /// The rendition has this very init already.
    Known,
    /// Stored by this attempt; the rendition's own once a segment is committed with it.
    New(Init),
}

impl<'a> Store<'a> {
    /// `planned`: segments of each rendition.
    pub(super) fn new(work: &'a Work, lease: &'a Lease, planned: u32) -> Self {
        Self { work, lease, planned, door: tokio::sync::Mutex::new(()), told: Mutex::new(None) }
    }

    /// The sequences that an earlier attempt stored.
    pub(super) async fn known(&self, row: &Transcode) -> Result<HashSet<u32>, TaskError> {
        let stored = segments(self.work.db(), row.id).await?;
        Ok(stored.into_iter().map(|segment| segment.sequence).collect())
    }

    /// Stores an init unless the rendition has the same one.
    pub(super) async fn open(
        &self,
        row: &Transcode,
        init: &fmp4::Init,
    ) -> Result<Opened, TaskError> {
        let bytes = Bytes::from(init.bytes.clone());
        let cid = hashed(bytes.clone()).await?;
        match &row.init_cid {
            Some(known) if *known == cid => return Ok(Opened::Known),
            Some(_) => return Err(Cause::Init { resolution: row.resolution.clone() }.into()),
            None => {}
        }
        let path = self.key(&keys::init(&row.resolution, &self.lease.suffix()));
        let size = bytes.len() as u64;
        self.work.bucket().put(&path, bytes, keys::content_type(&path)).await?;
        Ok(Opened::New(Init { path, cid, size, codec: init.codec.clone() }))
    }

    /// Stores a segment and commits it, with the init if that is new.
    pub(super) async fn segment(
        &self,
        row: &Transcode,
        opened: &Opened,
        made: Segment,
    ) -> Result<(), TaskError> {
        let path = self.key(&keys::segment(&row.resolution, made.sequence, &self.lease.suffix()));
        let bytes = Bytes::from(made.bytes);
        let cid = hashed(bytes.clone()).await?;
        let stored = segment::Segment {
            transcode_id: row.id,
            sequence: made.sequence,
            path: path.clone(),
            cid,
            duration_ticks: made.duration_ticks,
            size: bytes.len() as u64,
        };
        self.work.bucket().put(&path, bytes, keys::content_type(&path)).await?;
        self.commit(row.id, opened, stored, &row.resolution).await?;
        self.tell().await;
        Ok(())
    }

    async fn commit(
        &self,
        rendition: Uuid,
        opened: &Opened,
        stored: segment::Segment,
        resolution: &str,
    ) -> Result<(), TaskError> {
        let _turn = self.door.lock().await;
        let lease = self.lease.clone();
        let init = match opened {
            Opened::Known => None,
            Opened::New(init) => Some(init.clone()),
        };
        let same = self
            .work
            .db()
            .run_tx("encode.segment", async move |tx| {
                task::progressed(tx, &lease).await?;
                if let Some(init) = &init
                    && transcode::set_init(tx, rendition, init).await? != init.cid
                {
                    return Ok::<_, TaskError>(false);
                }
                segment::insert(tx, &stored).await?;
                Ok(true)
            })
            .await?;
        if same { Ok(()) } else { Err(Cause::Init { resolution: resolution.to_owned() }.into()) }
    }

    /// Tells feeds how far the video is; best effort.
    async fn tell(&self) {
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.is_some_and(|last| last.elapsed() < TELL) {
                return;
            }
            *told = Some(Instant::now());
        }
        let video = self.lease.video();
        let counted = self
            .work
            .db()
            .run_tx("progress", async move |tx| segment::counts(tx, video).await)
            .await;
        if let Ok(stored) = counted {
            self.work.queue().progress(video, Progress::of(self.planned, &stored)).await;
        }
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", keys::media(self.lease.video()))
    }
}

/// The content id of bytes at hand, computed off the runtime's threads.
pub(super) async fn hashed(bytes: Bytes) -> Result<String, TaskError> {
    let file = tokio::task::spawn_blocking(move || {
        let mut dag = FileDag::new();
        dag.push(&bytes);
        dag.finish()
    })
    .await
    .map_err(|_| Cause::Panic)?;
    Ok(file.cid.to_string())
}
