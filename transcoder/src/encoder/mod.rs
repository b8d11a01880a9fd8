//! The encoder: the collaborator that owns the media programs, the local disk and the threads that
//! hash. What it makes comes out in order, through bounded channels; who takes it decides what is
//! stored.

mod ffmpeg;
mod index;
mod media;
mod mp4;
mod pipe;
pub mod source;

use async_trait::async_trait;
use bytes::Bytes;
use reelpin_plan::{Cues, Index, Options, Plan, Probe, Refusal, Run, Segment};
use reelpin_schema::bucket::Bucket;
use reelpin_schema::cid::{Digest, File};
use reelpin_schema::segment;
use reelpin_schema::transcode::Transcode;
use reelpin_schema::video::Video;
use tokio::sync::mpsc;
use uuid::Uuid;

pub use ffmpeg::Ffmpeg;
pub(crate) use media::is_of_input;

use crate::error::TaskError;

/// Makes films of originals. Every call may be dropped half-way: what it runs ends with it.
#[async_trait]
pub trait Encoder: Send + Sync {
    /// What an original is.
    ///
    /// # Errors
    /// *Theirs* when it is no film; *ours* when it cannot be read.
    async fn probe(&self, bucket: &Bucket, video: &Video) -> Result<Probed, TaskError>;

    /// Checksum, content id and size of an original, which is read whole.
    ///
    /// # Errors
    /// *Ours*: it cannot be read.
    async fn digest(&self, bucket: &Bucket, video: &Video) -> Result<Digest, TaskError>;

    /// Makes what a run says: one sender for each of its parts, in their order. A sender whose
    /// receiver is gone ends the call; then the receiver knows why.
    ///
    /// # Errors
    /// What ended it; `Ok` when everything came, or nobody takes it any more.
    async fn encode(
        &self,
        bucket: &Bucket,
        video: &Video,
        plan: &Plan,
        run: &Run,
        out: Vec<mpsc::Sender<Made>>,
    ) -> Result<(), TaskError>;

    /// Copies the picture as the rung that the plan says. As [`Encoder::encode`].
    ///
    /// # Errors
    /// What ended it.
    async fn copy(
        &self,
        bucket: &Bucket,
        video: &Video,
        plan: &Plan,
        out: mpsc::Sender<Made>,
    ) -> Result<(), TaskError>;

    /// Makes the sound, up to `until` ticks at least; `None`: all of it. As [`Encoder::encode`].
    ///
    /// # Errors
    /// What ended it.
    async fn audio(
        &self,
        bucket: &Bucket,
        video: &Video,
        plan: &Plan,
        until: Option<u64>,
        out: mpsc::Sender<Made>,
    ) -> Result<(), TaskError>;

    /// Takes a still picture, as JPEG.
    ///
    /// # Errors
    /// What ended it.
    async fn poster(&self, bucket: &Bucket, video: &Video, plan: &Plan)
    -> Result<Bytes, TaskError>;

    /// Makes one MP4 of stored segments, nothing encoded again, and stores it under `key`; `None`,
    /// and nothing stored, when a single PUT cannot carry it.
    ///
    /// # Errors
    /// What ended it.
    async fn mp4(
        &self,
        bucket: &Bucket,
        picture: Option<&Hls>,
        sound: Option<&Hls>,
        key: &str,
    ) -> Result<Option<File>, TaskError>;

    /// Content id and size of bytes at hand.
    ///
    /// # Errors
    /// A thread that panicked.
    async fn hash(&self, bytes: Bytes) -> Result<File, TaskError>;

    /// Lets go what is kept of a video's original.
    fn forget(&self, video: Uuid);

    /// Lets go what no task has asked for lately.
    fn tidy(&self);
}

/// What an original is.
#[derive(Debug, Clone)]
pub struct Probed {
    /// What ffprobe tells of it.
    pub probe: Probe,
    /// Its frames, where the container tells them.
    pub index: Option<Index>,
    /// Without an index: where decoding can begin, where the container tells that.
    pub cues: Option<Cues>,
}

impl Probed {
    /// What is to be made of it.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn plan(&self, options: &Options) -> Result<Plan, Refusal> {
        match (&self.index, &self.cues) {
            (None, Some(cues)) => Plan::by_cues(&self.probe, cues, options),
            (index, _) => Plan::new(&self.probe, index.as_ref(), options),
        }
    }
}

/// What comes out of an encode: the init segment first.
#[derive(Debug, Clone)]
pub enum Made {
    /// The init segment.
    Init {
        /// The whole of it.
        bytes: Bytes,
        /// RFC 6381, as in CODECS.
        codec: String,
    },
    /// The next segment.
    Segment(Segment),
}

/// A stored HLS rendition with its segments.
#[derive(Debug, Clone)]
pub struct Hls {
    /// The rendition.
    pub row: Transcode,
    /// All of them, in order.
    pub segments: Vec<segment::Segment>,
}

impl Hls {
    /// Bytes and ticks of each segment, as rates are measured from.
    pub(crate) fn measures(&self) -> Vec<(u64, u64)> {
        self.segments.iter().map(|s| (s.size, s.duration_ticks)).collect()
    }
}
