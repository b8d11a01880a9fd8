//! The encoder that runs ffmpeg and ffprobe, confined, on this machine.

use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::try_join;
use reelpin_plan::argv::{self, Argv};
use reelpin_plan::{Packer, Plan, Probe, Refusal, Run, Segmenter, TICKS};
use reelpin_schema::bucket::Bucket;
use reelpin_schema::cid::{Digest, File, FileDag};
use reelpin_schema::video::Video;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::media::Pace;
use super::source::{Lent, Sources};
use super::{Encoder, Hls, Made, Probed, index, media, mp4, pipe};
use crate::confine::{Launcher, Toolbox, WorkRoot};
use crate::error::{Cause, TaskError};
use crate::work::RunError;

/// Less than this is hashed at once: handing it to a thread would take longer.
const SMALL: usize = 256 << 10;

/// What a run may read beyond its end, ticks: 10 s. Frames are decoded before others that are shown earlier, and files hold
/// sound and picture up to some seconds apart.
const MARGIN: u64 = 10 * TICKS;

/// The programs of this machine, and the disk they work on.
pub struct Ffmpeg {
    pub(super) launcher: Launcher,
    pub(super) folders: WorkRoot,
    sources: Sources,
}

impl Ffmpeg {
    /// Finds out what the kernel can confine, and takes a folder below `work_root`. Blocks for a
    /// moment.
    ///
    /// # Errors
    /// [`RunError`] when ffmpeg is missing, the kernel cannot confine it, or the folder cannot be
    /// used.
    pub fn start(toolbox: Toolbox, work_root: &Path) -> Result<Self, RunError> {
        let launcher = Launcher::start(toolbox)?;
        for gap in launcher.gaps() {
            tracing::warn!("{gap}");
        }
        let folders = WorkRoot::open(work_root)?;
        let sources = Sources::new(folders.clone());
        Ok(Self { launcher, folders, sources })
    }

    /// Ends what reads originals, and waits until it has ended. Tasks that still read one fail.
    pub async fn close(&self) {
        self.sources.close().await;
    }

    /// Lends an original to a run that makes of it what is shown before `end`, ticks of the film; `None`: all.
    async fn lend(
        &self,
        bucket: &Bucket,
        video: &Video,
        plan: &Plan,
        end: Option<u64>,
    ) -> Result<Lent, TaskError> {
        let original = self.sources.open(bucket, video)?;
        let Some(end) = end else { return original.lend().await };
        original.lend_until(plan.start.saturating_add_unsigned(end + MARGIN)).await
    }

    async fn look(&self, lent: &Lent) -> Result<Probe, TaskError> {
        let looked = self.told(lent, argv::probe(&lent.url())).await?;
        if matches!(looked, Err(Refusal::NoFrames)) {
            return Ok(self.told(lent, argv::probe_further(&lent.url())).await??);
        }
        Ok(looked?)
    }

    /// What ffprobe tells, or why that is no film.
    async fn told(&self, lent: &Lent, argv: Argv) -> Result<Result<Probe, Refusal>, TaskError> {
        let folder = self.folders.folder()?;
        match media::look(self, &argv, folder.path(), lent).await {
            Ok(told) => Ok(Probe::parse(&String::from_utf8_lossy(&told))),
            Err(e) if e.is_theirs() => {
                tracing::info!(?e, "ffprobe does not understand an upload");
                Ok(Err(refusal(&e)))
            }
            Err(e) => Err(e.cause(argv.program).into()),
        }
    }
}

/// Passes on how a run ended. After one of the film's beginning that failed, all of it is lent.
fn believed(lent: &Lent, ended: Result<(), TaskError>) -> Result<(), TaskError> {
    if ended.is_err() && !lent.is_whole() {
        lent.doubt();
    }
    ended
}

/// What a file of which ffprobe tells nothing is refused for.
fn refusal(e: &media::LookError) -> Refusal {
    // Its own limit of pixels, which it holds before it tells them.
    if e.said().contains("exceeds specified max pixel count") {
        return Refusal::TooManyPixels { width: 0, height: 0 };
    }
    Refusal::NotAVideo
}

#[async_trait]
impl Encoder for Ffmpeg {
    async fn probe(&self, bucket: &Bucket, video: &Video) -> Result<Probed, TaskError> {
        let original = self.sources.open(bucket, video)?;
        let beginning = original.lend_until(0).await?;
        let look = async {
            match self.look(&beginning).await {
                Err(_) if !beginning.is_whole() => {
                    Ok((self.look(&original.lend().await?).await?, true))
                }
                looked => Ok((looked?, beginning.is_whole())),
            }
        };
        // What it refuses nobody reads on.
        let ((mut probe, whole), ahead) = try_join(look, index::ahead(&original)).await?;
        let index = index::read(self, &original, &probe, ahead).await?;
        if let Some(picture) = probe.video.as_mut().filter(|_| !whole) {
            // All else that it tells is the film's own.
            let told = index.as_ref().zip(picture.duration);
            match told.and_then(|(index, duration)| index.bit_rate(duration)) {
                Some(rate) => picture.bit_rate = Some(rate),
                None => probe = self.look(&original.lend().await?).await?,
            }
        }
        let frames = index::sound(&original, &probe).await?;
        if let Some(sound) = &mut probe.audio {
            sound.frames = frames;
        }
        let cues = match &index {
            Some(_) => None,
            None => index::cues(&original, &probe).await?,
        };
        Ok(Probed { probe, index, cues })
    }

    async fn digest(&self, bucket: &Bucket, video: &Video) -> Result<Digest, TaskError> {
        self.sources.open(bucket, video)?.digest().await
    }

    async fn encode(
        &self,
        bucket: &Bucket,
        video: &Video,
        plan: &Plan,
        run: &Run,
        out: Vec<mpsc::Sender<Made>>,
    ) -> Result<(), TaskError> {
        let pace = if run.end == Some(1) { Pace::Urgent } else { Pace::Patient };
        // What it makes is compared with the plan; a starter that fails costs no film.
        let end = (run.end == Some(1) && plan.grid.exact).then(|| plan.grid.cut(1)).flatten();
        let lent = self.lend(bucket, video, plan, end).await?;
        let folder = self.folders.folder()?;
        let argv = argv::encode(plan, run, &lent.url(), media::FIRST_PIPE)
            .ok_or(Cause::Row("the plan has no such run"))?;
        let mut child = media::start(self, &argv, folder.path(), &lent, out.len(), pace).await?;
        let mut lines = Vec::with_capacity(out.len());
        for (number, (part, out)) in run.parts.iter().zip(out).enumerate() {
            let pipe = child.take_pipe(number).ok_or(Cause::Row("a pipe is missing"))?;
            let segmenter = Segmenter::new(&plan.grid, part.first, run.end);
            lines.push(pipe::read(pipe, segmenter, || media::read_well(&lent), out));
        }
        let read = pipe::all(lines).await;
        believed(&lent, media::ended(argv.program, child, &lent, read).await)
    }

    async fn copy(
        &self,
        bucket: &Bucket,
        video: &Video,
        plan: &Plan,
        out: mpsc::Sender<Made>,
    ) -> Result<(), TaskError> {
        let lent = self.sources.open(bucket, video)?.lend().await?;
        let folder = self.folders.folder()?;
        let argv = argv::copy(plan, &lent.url(), media::FIRST_PIPE)
            .ok_or(Cause::Row("the plan copies nothing"))?;
        let mut child = media::start(self, &argv, folder.path(), &lent, 1, Pace::Patient).await?;
        let pipe = child.take_pipe(0).ok_or(Cause::Row("a pipe is missing"))?;
        let segmenter = Segmenter::new(&plan.grid.as_copied(), 0, None);
        let read = pipe::read(pipe, segmenter, || media::read_well(&lent), out).await;
        media::ended(argv.program, child, &lent, read).await
    }

    async fn audio(
        &self,
        bucket: &Bucket,
        video: &Video,
        plan: &Plan,
        until: Option<u64>,
        out: mpsc::Sender<Made>,
    ) -> Result<(), TaskError> {
        let pace = if until.is_some() { Pace::Urgent } else { Pace::Patient };
        let lent = self.lend(bucket, video, plan, until).await?;
        let folder = self.folders.folder()?;
        let argv = argv::audio(plan, &lent.url(), media::FIRST_PIPE, until)
            .ok_or(Cause::Row("the plan has no audio"))?;
        let mut child = media::start(self, &argv, folder.path(), &lent, 1, pace).await?;
        let pipe = child.take_pipe(0).ok_or(Cause::Row("a pipe is missing"))?;
        let packer = Packer::of(plan, until);
        let read = pipe::read(pipe, packer, || media::read_well(&lent), out).await;
        believed(&lent, media::ended(argv.program, child, &lent, read).await)
    }

    async fn poster(
        &self,
        bucket: &Bucket,
        video: &Video,
        plan: &Plan,
    ) -> Result<Bytes, TaskError> {
        let lent = self.sources.open(bucket, video)?.lend().await?;
        let folder = self.folders.folder()?;
        let picture = folder.path().join("poster.jpg");
        let argv = argv::poster(plan, &lent.url(), &media::text(&picture)?)
            .ok_or(Cause::Row("the plan has no picture"))?;
        media::brief(self, &argv, folder.path(), &lent).await?;
        Ok(Bytes::from(tokio::fs::read(&picture).await?))
    }

    async fn mp4(
        &self,
        bucket: &Bucket,
        picture: Option<&Hls>,
        sound: Option<&Hls>,
        key: &str,
    ) -> Result<Option<File>, TaskError> {
        mp4::make(bucket, picture, sound, key).await
    }

    async fn hash(&self, bytes: Bytes) -> Result<File, TaskError> {
        let size = bytes.len();
        let hash = move || {
            let mut dag = FileDag::new();
            dag.push(&bytes);
            dag.finish()
        };
        if size < SMALL {
            return Ok(hash());
        }
        Ok(tokio::task::spawn_blocking(hash).await.map_err(|_| Cause::Panic)?)
    }

    fn forget(&self, video: Uuid) {
        self.sources.forget(video);
    }

    fn tidy(&self) {
        self.sources.tidy();
    }
}
