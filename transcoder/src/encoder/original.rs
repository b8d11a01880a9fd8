//! The originals that tasks at work need: downloaded once, shared, and removed afterwards.
//!
//! A later issue reads them by range instead; then only this file changes.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use reelpin_schema::bucket::{Bucket, BucketError};
use reelpin_schema::cid::{Checksum, Digest};
use reelpin_schema::video::Video;
use tokio::sync::{OnceCell, mpsc};
use tokio::time::Instant;
use uuid::Uuid;

use crate::confine::{WorkFolder, WorkRoot};
use crate::error::{Cause, TaskError};

/// How many originals stay on disk after their last task let go, so that the next task of the same
/// video finds its own. Each is at most 5 GiB.
const KEEP: usize = 2;

/// How long an original stays that no task asks for.
const IDLE: Duration = Duration::from_secs(300);

/// Pieces of an original between the network and the disk; the network waits when they are full.
const PIECES: usize = 16;

/// A downloaded original. Its file is removed when the last holder lets go.
pub(super) struct Original {
    folder: WorkFolder,
    digest: Digest,
}

impl Original {
    /// Where it lies.
    pub(super) fn path(&self) -> PathBuf {
        file(self.folder.path())
    }

    /// Checksum and content id of what was downloaded.
    pub(super) fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// The name is ours: an uploaded name is never a path.
fn file(folder: &Path) -> PathBuf {
    folder.join("original")
}

type Slot = OnceCell<Arc<Original>>;

/// The originals on this worker's disk.
#[derive(Default)]
pub(super) struct Originals {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    slots: HashMap<Uuid, Weak<Slot>>,
    recent: Vec<(Uuid, Arc<Slot>, Instant)>,
}

impl Originals {
    /// The original of a video, downloaded now unless it is there or on its way.
    pub(super) async fn get(
        &self,
        folders: &WorkRoot,
        bucket: &Bucket,
        video: &Video,
    ) -> Result<Arc<Original>, TaskError> {
        let slot = self.slot(video.id);
        let original = slot.get_or_try_init(|| download(folders, bucket, video)).await?;
        Ok(Arc::clone(original))
    }

    /// Lets a video's original go as soon as no task holds it.
    pub(super) fn forget(&self, video: Uuid) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.recent.retain(|(id, ..)| *id != video);
    }

    /// Lets go what no task has asked for lately: its video failed, was cancelled or is elsewhere.
    pub(super) fn tidy(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.recent.retain(|(.., asked)| asked.elapsed() < IDLE);
    }

    fn slot(&self, video: Uuid) -> Arc<Slot> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.slots.retain(|_, slot| slot.strong_count() > 0);
        let slot = known.slots.get(&video).and_then(Weak::upgrade).unwrap_or_default();
        known.slots.insert(video, Arc::downgrade(&slot));
        known.recent.retain(|(id, ..)| *id != video);
        known.recent.push((video, Arc::clone(&slot), Instant::now()));
        if known.recent.len() > KEEP {
            known.recent.remove(0);
        }
        slot
    }
}

async fn download(
    folders: &WorkRoot,
    bucket: &Bucket,
    video: &Video,
) -> Result<Arc<Original>, TaskError> {
    let folder = folders.folder()?;
    let object = bucket.get(&video.file_path, None).await?;
    let (pieces, mut arrived) = mpsc::channel::<bytes::Bytes>(PIECES);
    let path = file(folder.path());
    // Ends when the sender is dropped, also when this future is.
    let writer = tokio::task::spawn_blocking(move || -> std::io::Result<Digest> {
        let mut file = std::fs::File::create(path)?;
        let mut checksum = Checksum::new();
        while let Some(piece) = arrived.blocking_recv() {
            file.write_all(&piece)?;
            checksum.push(&piece);
        }
        Ok(checksum.finish())
    });
    let mut body = object.body;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|e| Cause::Bucket(BucketError::Read(e.into())))?;
        if pieces.send(piece).await.is_err() {
            break; // The writer failed; it says why below.
        }
    }
    drop(pieces);
    let digest = writer.await.map_err(|_| Cause::Panic)??;
    if digest.file.size != video.file_size {
        return Err(Cause::Row("the original is not as large as was declared").into());
    }
    if let Some(want) = &video.checksum
        && *want != digest.sha256_hex
    {
        return Err(Cause::Changed { got: digest.sha256_hex, want: want.clone() }.into());
    }
    Ok(Arc::new(Original { folder, digest }))
}
