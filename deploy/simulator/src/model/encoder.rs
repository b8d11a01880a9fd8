//! An encoder that needs no ffmpeg: what it makes of a film follows from the film alone.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use reelpin_plan::{Mismatch, Plan, Run, Segment};
use reelpin_schema::bucket::Bucket;
use reelpin_schema::cid::{Checksum, Digest, File, FileDag};
use reelpin_schema::keys;
use reelpin_schema::transcode::AUDIO;
use reelpin_schema::video::Video;
use reelpin_transcoder::encoder::{Encoder, Hls, Made, Probed};
use reelpin_transcoder::{Cause, TaskError};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::film;
use crate::gate::{Actor, Effect, Gates, Verdict};
use crate::script::{Film, Flaw};

/// What a copied sound is called in its bytes: others than those of an encoded one.
const COPIED: &str = "audio copied";

/// Until when posters of films with that flaw fail.
const POSTER: Duration = Duration::from_secs(30 * 60);

/// One worker's encoder.
pub struct EncoderModel {
    gates: Gates,
    actor: Actor,
}

impl EncoderModel {
    /// For an actor.
    pub fn new(gates: Gates, actor: Actor) -> Self {
        Self { gates, actor }
    }

    /// The original's bytes, as they are in the bucket now.
    async fn read(&self, bucket: &Bucket, video: &Video) -> Result<(Bytes, Film), TaskError> {
        let bytes = bucket.get_bytes(&video.file_path, 1 << 20).await?;
        let digest = Checksum::of(&bytes);
        if let Some(want) = video.checksum.as_ref().filter(|want| **want != digest.sha256_hex) {
            let want = want.clone();
            return Err(Cause::Changed { got: digest.sha256_hex, want }.into());
        }
        let film = film::film(&bytes)?;
        Ok((bytes, film))
    }

    /// One output; false when the program dies after it.
    async fn output(&self, what: &'static str) -> Result<bool, TaskError> {
        match self.gates.wait(self.actor, Effect::Encoder(what)).await {
            Verdict::Run => Ok(true),
            Verdict::Fail | Verdict::Conflict => Err(Cause::Silent.into()),
            Verdict::Lost | Verdict::Late => Ok(false),
        }
    }

    /// Sends a rendition's init and segments; ends early when nobody takes them.
    async fn send(
        &self,
        film: &Film,
        resolution: &str,
        segments: Vec<Segment>,
        out: mpsc::Sender<Made>,
    ) -> Result<(), TaskError> {
        let codec = if resolution.starts_with(AUDIO) { "mp4a.40.2" } else { "avc1.64001f" };
        let bytes = Bytes::from(film::init(film, resolution));
        let first = Made::Init { bytes, codec: codec.to_owned() };
        let all = std::iter::once(first).chain(segments.into_iter().map(Made::Segment));
        for made in all {
            let goes_on = self.output("segment").await?;
            if out.send(made).await.is_err() {
                return Ok(());
            }
            if !goes_on || film.flaw == Flaw::Broken {
                return Err(Cause::Silent.into());
            }
        }
        Ok(())
    }
}

/// A rendition's segments at these places of the grid.
fn segments(
    film: &Film,
    plan: &Plan,
    resolution: &str,
    places: std::ops::Range<u32>,
) -> Vec<Segment> {
    let places = places.filter_map(|sequence| plan.grid.segment(sequence));
    let made = places.map(|place| Segment {
        sequence: place.sequence,
        start_ticks: place.start,
        duration_ticks: place.duration,
        frames: place.frames.unwrap_or(1),
        bytes: film::segment(film, resolution, place.sequence),
    });
    made.collect()
}

#[async_trait]
impl Encoder for EncoderModel {
    async fn probe(&self, bucket: &Bucket, video: &Video) -> Result<Probed, TaskError> {
        let (_, film) = self.read(bucket, video).await?;
        if !self.output("probe").await? {
            return Err(Cause::Silent.into());
        }
        let (probe, index, cues) = (film::probe(&film)?, film::index(&film), film::cues(&film));
        Ok(Probed { probe, index, cues })
    }

    async fn digest(&self, bucket: &Bucket, video: &Video) -> Result<Digest, TaskError> {
        let (bytes, _) = self.read(bucket, video).await?;
        if self.output("digest").await? {
            Ok(Checksum::of(&bytes))
        } else {
            Err(Cause::Silent.into())
        }
    }

    async fn encode(
        &self,
        bucket: &Bucket,
        video: &Video,
        plan: &Plan,
        run: &Run,
        out: Vec<mpsc::Sender<Made>>,
    ) -> Result<(), TaskError> {
        let (_, film) = self.read(bucket, video).await?;
        let rungs = plan.video.as_ref().map_or(&[][..], |picture| &picture.rungs);
        let end = run.end.unwrap_or_else(|| plan.grid.n_segments());
        let lines = run.parts.iter().zip(out).filter_map(|(part, out)| {
            let rung = rungs.get(part.rung)?;
            let made = segments(&film, plan, &rung.name, part.first..end);
            Some(self.send(&film, &rung.name, made, out))
        });
        futures_util::future::try_join_all(lines).await?;
        Ok(())
    }

    async fn copy(
        &self,
        bucket: &Bucket,
        video: &Video,
        plan: &Plan,
        out: mpsc::Sender<Made>,
    ) -> Result<(), TaskError> {
        let (_, film) = self.read(bucket, video).await?;
        let rung = plan.video.as_ref().and_then(|picture| picture.rungs.iter().find(|r| r.copy));
        let rung = rung.ok_or(Cause::Row("nothing is copied"))?;
        let made = segments(&film, plan, &rung.name, 0..plan.grid.n_segments());
        self.send(&film, &rung.name, made, out).await
    }

    async fn audio(
        &self,
        bucket: &Bucket,
        video: &Video,
        plan: &Plan,
        until: Option<u64>,
        out: mpsc::Sender<Made>,
    ) -> Result<(), TaskError> {
        let (_, film) = self.read(bucket, video).await?;
        let end = if until.is_some() { 1 } else { plan.grid.n_segments() };
        if plan.audio.as_ref().is_none_or(|audio| !audio.copy) {
            return self.send(&film, AUDIO, segments(&film, plan, AUDIO, 0..end), out).await;
        }
        let flawed = film.flaw == Flaw::Sound && until.is_none();
        let made = segments(&film, plan, COPIED, 0..if flawed { end.div_ceil(2) } else { end });
        self.send(&film, COPIED, made, out).await?;
        if flawed { Err(Mismatch::Hole { want: 0, got: 1024 }.into()) } else { Ok(()) }
    }

    async fn poster(
        &self,
        bucket: &Bucket,
        video: &Video,
        _plan: &Plan,
    ) -> Result<Bytes, TaskError> {
        let (_, film) = self.read(bucket, video).await?;
        let fails = film.flaw == Flaw::Poster && self.gates.clock() < POSTER;
        if self.output("poster").await? && !fails {
            Ok(Bytes::from(format!("poster {}", film.number)))
        } else {
            Err(Cause::Silent.into())
        }
    }

    async fn mp4(
        &self,
        bucket: &Bucket,
        picture: Option<&Hls>,
        sound: Option<&Hls>,
        key: &str,
    ) -> Result<Option<File>, TaskError> {
        let mut film = Vec::new();
        for hls in picture.into_iter().chain(sound) {
            let init = hls.row.init_path.iter().map(|path| (path, hls.row.init_size.unwrap_or(0)));
            for (key, size) in init.chain(hls.segments.iter().map(|s| (&s.path, s.size))) {
                film.extend(bucket.get_bytes(key, size).await?);
            }
        }
        if !self.output("mp4").await? {
            return Err(Cause::Silent.into());
        }
        let bytes = Bytes::from(film);
        let file = self.hash(bytes.clone()).await?;
        bucket.put(key, bytes, keys::content_type(key)).await?;
        Ok(Some(file))
    }

    async fn hash(&self, bytes: Bytes) -> Result<File, TaskError> {
        let mut dag = FileDag::new();
        dag.push(&bytes);
        Ok(dag.finish())
    }

    fn forget(&self, _video: Uuid) {}

    fn tidy(&self) {}
}
