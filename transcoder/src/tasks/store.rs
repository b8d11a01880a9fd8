//! Storing a rendition's init and segments as they come, each committed under the lease.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reelpin_plan::Segment;
use reelpin_schema::queue::Progress;
use reelpin_schema::task::{self, Lease};
use reelpin_schema::transcode::{self, Init, Transcode};
use reelpin_schema::{keys, segment, video};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::encoder::Made;
use crate::error::{Cause, TaskError};
use crate::work::Work;

/// Segments of a rendition between the encoder and the bucket; the encoder waits when they are full.
pub(super) const SEGMENTS: usize = 2;

/// Progress is told at most this often.
const TELL: Duration = Duration::from_millis(500);

/// One task's way into the bucket and the rows, shared by its renditions.
pub(super) struct Store<'a> {
    work: &'a Work,
    lease: &'a Lease,
    planned: u32,
    /// Where this task ends, which may move towards its beginning while it works.
    end: Mutex<End>,
    /// Nothing more is wanted of any rendition.
    enough: CancellationToken,
    /// One commit at a time: all of them touch the task's row.
    door: tokio::sync::Mutex<()>,
    /// When progress was told last, by the process's clock.
    told: Mutex<Option<Duration>>,
}

/// Where a task ends, and how far it is.
struct End {
    /// Sequence of the first segment that is not its own; `None`: of none.
    until: Option<u32>,
    /// Sequence of the first segment that has not come, for each rendition that is kept so far.
    next: BTreeMap<Uuid, u32>,
    /// How many renditions are kept.
    renditions: usize,
}

impl End {
    /// Whether every rendition has come to the end, wherever that is by now.
    fn reached(&self) -> bool {
        let until = self.until.unwrap_or(u32::MAX);
        self.next.len() == self.renditions && self.next.values().all(|next| *next >= until)
    }
}

/// A rendition's init as this attempt knows it.
enum Opened {
    /// The rendition has this very init already.
    Known,
    /// Stored by this attempt; the rendition's own once a segment is committed with it.
    New(Init),
}

impl<'a> Store<'a> {
    /// `planned`: segments of each rendition; `until`: sequence of the first one that is not this task's;
    /// `renditions`: how many are kept.
    pub(super) fn new(
        work: &'a Work,
        lease: &'a Lease,
        planned: u32,
        until: Option<u32>,
        renditions: usize,
    ) -> Self {
        Self {
            work,
            lease,
            planned,
            end: Mutex::new(End { until, next: BTreeMap::new(), renditions }),
            enough: CancellationToken::new(),
            door: tokio::sync::Mutex::new(()),
            told: Mutex::new(None),
        }
    }

    /// Stores what comes of a rendition, segment `first` and those after it, but `known` ones, which an earlier
    /// attempt stored, until there is no more or all renditions have reached the task's end.
    pub(super) async fn keep(
        &self,
        row: &Transcode,
        first: u32,
        known: &HashSet<u32>,
        mut made: mpsc::Receiver<Made>,
    ) -> Result<(), TaskError> {
        self.is_next(row.id, first);
        let mut opened = None;
        loop {
            let next = tokio::select! {
                biased;
                () = self.enough.cancelled() => return Ok(()),
                next = made.recv() => next,
            };
            match next {
                None => return Ok(()),
                Some(Made::Init { bytes, codec }) => {
                    opened = Some(self.open(row, bytes, codec).await?);
                }
                Some(Made::Segment(segment)) => {
                    let sequence = segment.sequence;
                    if self.is_ours(sequence) && !known.contains(&sequence) {
                        let opened =
                            opened.as_ref().ok_or(Cause::Row("a segment before its init"))?;
                        self.segment(row, opened, segment).await?;
                    }
                    self.is_next(row.id, sequence.saturating_add(1));
                }
            }
        }
    }

    fn is_ours(&self, sequence: u32) -> bool {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.until.is_none_or(|until| sequence < until)
    }

    /// Which segment of a rendition comes next. The end may have moved to where others have been for long.
    fn is_next(&self, rendition: Uuid, sequence: u32) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.next.insert(rendition, sequence);
        if end.reached() {
            self.enough.cancel();
        }
    }

    /// Stores an init unless the rendition has the same one.
    async fn open(
        &self,
        row: &Transcode,
        bytes: Bytes,
        codec: String,
    ) -> Result<Opened, TaskError> {
        let cid = self.work.hashed(bytes.clone()).await?;
        match &row.init_cid {
            Some(known) if *known == cid => return Ok(Opened::Known),
            Some(_) => return Err(Cause::Init { resolution: row.resolution.clone() }.into()),
            None => {}
        }
        let path = self.key(&keys::init(&row.resolution, &self.lease.suffix()));
        let size = bytes.len() as u64;
        self.work.bucket().put(&path, bytes, keys::content_type(&path)).await?;
        Ok(Opened::New(Init { path, cid, size, codec }))
    }

    /// Stores a segment and commits it, with the init if that is new.
    async fn segment(
        &self,
        row: &Transcode,
        opened: &Opened,
        made: Segment,
    ) -> Result<(), TaskError> {
        let path = self.key(&keys::segment(&row.resolution, made.sequence, &self.lease.suffix()));
        let bytes = Bytes::from(made.bytes);
        let cid = self.work.hashed(bytes.clone()).await?;
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
        let (same, until) = self
            .work
            .db()
            .run_tx("encode.segment", async move |tx| {
                let until = task::progressed(tx, &lease).await?;
                if until.is_some_and(|until| stored.sequence >= until) {
                    return Ok::<_, TaskError>((true, until));
                }
                if let Some(init) = &init
                    && transcode::set_init(tx, rendition, init).await? != init.cid
                {
                    return Ok((false, until));
                }
                segment::insert(tx, &stored).await?;
                video::grew(tx, lease.video(), rendition, stored.sequence).await?;
                Ok((true, until))
            })
            .await?;
        if !same {
            return Err(Cause::Init { resolution: resolution.to_owned() }.into());
        }
        // Another worker may have taken the far part of the stretch.
        if until.is_some() {
            self.end.lock().unwrap_or_else(PoisonError::into_inner).until = until;
        }
        Ok(())
    }

    /// Tells feeds how far the video is; best effort.
    async fn tell(&self) {
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.work.engines.ambient.now();
            if told.is_some_and(|last| now.saturating_sub(last) < TELL) {
                return;
            }
            *told = Some(now);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(until: Option<u32>, next: &[u32]) -> bool {
        let next = (0..).map(Uuid::from_u128).zip(next.iter().copied()).collect();
        End { until, next, renditions: 3 }.reached()
    }

    #[test]
    fn a_task_ends_when_every_rendition_has_come_to_its_end() {
        assert!(reached(Some(6), &[6, 6, 6]));
        assert!(!reached(Some(6), &[6, 6, 5]));
        // One is ahead of an end that moved; it has no more to come.
        assert!(reached(Some(6), &[7, 6, 6]));
        // The third has not begun.
        assert!(!reached(Some(6), &[6, 6]));
        assert!(!reached(None, &[9, 9, 9]));
    }
}
