//! A film as the worker would leave it: rows by the product's own steps, objects in the bucket.

use anyhow::Context as _;
use bytes::Bytes;
use reelpin_plan::{Index, Options, Plan, Probe};
use reelpin_schema::db::Tx;
use reelpin_schema::event::Event;
use reelpin_schema::file::{self, NewFile};
use reelpin_schema::keys;
use reelpin_schema::pin::{NewPin, Role};
use reelpin_schema::segment::{self, Segment};
use reelpin_schema::task::{self, Kind, Lease, NewTask, State};
use reelpin_schema::transcode::{
    self, Format, Init, NewRendition, Packaged, StoredFile, Transcode,
};
use reelpin_schema::video::{self, Completed, Digested, Planned};
use uuid::Uuid;

use super::{Stage, id_of};

/// The smallest thing that begins like an MP4.
pub(crate) const MP4: &[u8] = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2";

/// What ffprobe tells of 5 s of 854x480 at 24 frames a second with sound.
const PROBE: &str = r#"{
  "streams": [
    {"index": 0, "codec_name": "h264", "codec_type": "video", "profile": "High", "width": 854, "height": 480,
     "sample_aspect_ratio": "1:1", "pix_fmt": "yuv420p", "r_frame_rate": "24/1", "avg_frame_rate": "24/1",
     "time_base": "1/12288", "start_pts": 0, "duration": "5.000000", "bit_rate": "800000"},
    {"index": 1, "codec_name": "aac", "codec_type": "audio", "channels": 2, "sample_rate": "48000",
     "time_base": "1/48000", "start_pts": 0, "duration": "5.000000"}
  ],
  "format": {"format_name": "mov,mp4,m4a,3gp,3g2,mj2", "start_time": "0.000000", "duration": "5.000000",
             "size": "500000", "bit_rate": "800000", "nb_streams": 2}
}"#;

/// The attempt in every name.
pub(crate) const ATTEMPT: &str = "a1b2c3";

/// Ticks of the three segments.
const DURATIONS: [u64; 3] = [180_000, 180_000, 90_000];

pub(crate) struct Film<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) id: Uuid,
}

impl<'a> Film<'a> {
    /// Only a ticket.
    pub(crate) async fn pending(stage: &'a Stage) -> anyhow::Result<Self> {
        let ticket = stage.ticket("A film.mp4", MP4.len()).await?;
        Ok(Self { stage, id: id_of(&ticket)? })
    }

    /// Uploaded and completed through the API.
    pub(crate) async fn uploaded(stage: &'a Stage) -> anyhow::Result<Self> {
        let ticket = stage.ticket("A film.mp4", MP4.len()).await?;
        let id = id_of(&ticket)?;
        anyhow::ensure!(stage.put(&ticket, MP4).await? == 200, "the PUT was refused");
        let path = format!("/upload/video/{id}/complete");
        let request = stage.request(reqwest::Method::POST, &path).bearer_auth(super::KEY);
        let said = stage.say(request).await?;
        anyhow::ensure!(said.status == 200, "{}", said.text());
        Ok(Self { stage, id })
    }

    /// Probed and planned.
    pub(crate) async fn planned(stage: &'a Stage) -> anyhow::Result<Self> {
        let film = Self::uploaded(stage).await?;
        film.plan(PROBE, None).await?;
        Ok(film)
    }

    /// The same in three sizes, with an index: a key frame every 2 s.
    pub(crate) async fn ladder(stage: &'a Stage) -> anyhow::Result<Self> {
        let film = Self::uploaded(stage).await?;
        let (low, high) = (r#""width": 854, "height": 480"#, r#""width": 1920, "height": 1080"#);
        let packets =
            (0..120).map(|n| format!("{},{}\n", n * 512, if n % 48 == 0 { "K_" } else { "__" }));
        let index = Index::parse(&packets.collect::<String>()).context("no index")?;
        film.plan(&PROBE.replace(low, high), Some(&index)).await?;
        Ok(film)
    }

    /// One rung and the audio stored whole.
    pub(crate) async fn playable(stage: &'a Stage) -> anyhow::Result<Self> {
        let film = Self::planned(stage).await?;
        film.store("480p").await?;
        film.store("audio").await?;
        film.stage.queue.video_changed(film.id).await;
        Ok(film)
    }

    /// Everything.
    pub(crate) async fn completed(stage: &'a Stage) -> anyhow::Result<Self> {
        let film = Self::playable(stage).await?;
        film.poster().await?;
        film.package().await?;
        Ok(film)
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/video/{}{rest}", self.id)
    }

    /// Claims this film's task of a kind; those of other films are put back.
    pub(crate) async fn claim(&self, kind: Kind) -> anyhow::Result<Lease> {
        let mut others = Vec::new();
        let found = loop {
            let token = Uuid::new_v4();
            let claim = async move |tx: &Tx| {
                task::claim(tx, token, "test", &task::Wanted::of(&[kind])).await
            };
            match self.stage.db.run_tx("test.claim", claim).await? {
                Some(lease) if lease.video() != self.id => others.push(lease),
                found => break found,
            }
        };
        for lease in others {
            let defer = async move |tx: &Tx| task::defer(tx, &lease, time::Duration::ZERO).await;
            self.stage.db.run_tx("test.defer", defer).await?;
        }
        found.with_context(|| format!("no {} to claim", kind.name()))
    }

    /// Adds a task unless the film has it, and lets every attempt of it fail.
    pub(crate) async fn kill(&self, kind: Kind) -> anyhow::Result<()> {
        let (db, id) = (&self.stage.db, self.id);
        let enqueue = async move |tx: &Tx| task::enqueue(tx, id, &NewTask::of(kind)).await;
        db.run_tx("test.enqueue", enqueue).await?;
        loop {
            let lease = self.claim(kind).await?;
            let give_back = async move |tx: &Tx| {
                task::give_back(tx, &lease, time::Duration::ZERO, "the test wants it so").await
            };
            if db.run_tx("test.give_back", give_back).await?.state == State::Dead {
                return Ok(());
            }
        }
    }

    /// What is stored of the sound is forgotten, and its task begins once more.
    pub(crate) async fn sound_anew(&self) -> anyhow::Result<()> {
        let (db, id) = (&self.stage.db, self.id);
        let enqueue = async move |tx: &Tx| task::enqueue(tx, id, &NewTask::of(Kind::Audio)).await;
        db.run_tx("test.enqueue", enqueue).await?;
        let lease = self.claim(Kind::Audio).await?;
        let video = db.run_tx("test.video", async move |tx| video::get(tx, id).await).await?;
        let plan = video.and_then(|video| video.plan).context("no plan")?;
        let step = async move |tx: &Tx| video::sound_replanned(tx, &lease, &plan).await;
        Ok(db.run_tx("test.replanned", step).await?)
    }

    async fn plan(&self, probe: &str, index: Option<&Index>) -> anyhow::Result<()> {
        let lease = self.claim(Kind::Probe).await?;
        let probe = Probe::parse(probe).map_err(|e| anyhow::anyhow!("{e}"))?;
        let plan =
            Plan::new(&probe, index, &Options::default()).map_err(|e| anyhow::anyhow!("{e}"))?;
        let rung = |resolution: &str, pixels: Option<(u32, u32)>| NewRendition {
            format: Format::Hls,
            resolution: resolution.to_owned(),
            width: pixels.map(|p| p.0),
            height: pixels.map(|p| p.1),
            copy: false,
            stored: None,
        };
        let pictures = plan.video.iter().flat_map(|video| &video.rungs);
        let mut renditions: Vec<_> =
            pictures.map(|one| rung(&one.name, Some((one.width, one.height)))).collect();
        let rungs = renditions.iter().map(|one| one.resolution.clone()).collect();
        renditions.push(rung("audio", None));
        let shown = probe.video.as_ref();
        let planned = Planned {
            probe: serde_json::to_value(&probe)?,
            plan: serde_json::to_value(&plan)?,
            probed: Event::Probed {
                duration: 5.0,
                width: shown.map(|video| video.width),
                height: shown.map(|video| video.height),
            },
            planned: Event::Planned { rungs, audio: true },
            renditions,
            tasks: vec![NewTask::of(Kind::Digest), NewTask::after(Kind::Package, &[Kind::Digest])],
        };
        let step = async move |tx: &Tx| video::planned(tx, &lease, &planned).await;
        self.stage.db.run_tx("test.planned", step).await?;
        let lease = self.claim(Kind::Digest).await?;
        let digested = Digested {
            checksum: "c0ffee".to_owned(),
            ipfs_cid: "bafyoriginal".to_owned(),
            pins: vec![NewPin::at_node(Role::Original, "bafyoriginal".to_owned())],
        };
        let step = async move |tx: &Tx| video::digested(tx, &lease, &digested).await;
        self.stage.db.run_tx("test.digested", step).await?;
        self.stage.queue.video_changed(self.id).await;
        Ok(())
    }

    pub(crate) async fn rendition(&self, resolution: &str) -> anyhow::Result<Transcode> {
        let id = self.id;
        let rows = self
            .stage
            .db
            .run_tx("test.rows", async move |tx| transcode::of_video(tx, id).await)
            .await?;
        rows.into_iter()
            .find(|row| row.format == Format::Hls && row.resolution == resolution)
            .context("no such rendition")
    }

    async fn object(&self, name: &str, bytes: impl Into<Bytes>) -> anyhow::Result<String> {
        let key = format!("{}{name}", keys::media(self.id));
        self.stage.bucket.client.put(&key, bytes.into(), keys::content_type(name)).await?;
        Ok(key)
    }

    /// Stores all segments of a rendition.
    pub(crate) async fn store(&self, resolution: &str) -> anyhow::Result<()> {
        for sequence in 0..3 {
            self.store_segment(resolution, sequence).await?;
        }
        self.whole(resolution).await
    }

    /// Notes that nothing of a rendition is left to store.
    pub(crate) async fn whole(&self, resolution: &str) -> anyhow::Result<()> {
        let transcode = self.rendition(resolution).await?.id;
        self.stage
            .db
            .run_tx("test.stored", async move |tx| transcode::set_stored(tx, transcode).await)
            .await?;
        Ok(())
    }

    pub(crate) async fn store_segment(
        &self,
        resolution: &str,
        sequence: u32,
    ) -> anyhow::Result<()> {
        let init =
            self.object(&keys::init(resolution, ATTEMPT), format!("init of {resolution}")).await?;
        let bytes = format!("segment {sequence} of {resolution}");
        let size = bytes.len() as u64;
        let path = self.object(&keys::segment(resolution, sequence, ATTEMPT), bytes).await?;
        let transcode_id = self.rendition(resolution).await?.id;
        let segment = Segment {
            transcode_id,
            sequence,
            path,
            cid: format!("bafy{resolution}{sequence}"),
            duration_ticks: DURATIONS[sequence as usize],
            size,
        };
        let codec = if resolution == "audio" { "mp4a.40.2" } else { "avc1.64001e" };
        let id = self.id;
        let init =
            Init { path: init, cid: "bafyinit".to_owned(), size: 12, codec: codec.to_owned() };
        self.stage
            .db
            .run_tx("test.segment", async move |tx| {
                transcode::set_init(tx, transcode_id, &init).await?;
                segment::insert(tx, &segment).await?;
                video::grew(tx, id, transcode_id, sequence).await
            })
            .await?;
        Ok(())
    }

    async fn poster(&self) -> anyhow::Result<()> {
        let path = self.object(&keys::poster(ATTEMPT), "a picture").await?;
        let (id, cid) = (self.id, "bafyposter".to_owned());
        let new = NewFile { role: file::Role::Poster, path, cid, size: 9 };
        let step = async move |tx: &Tx| file::insert(tx, id, &new).await;
        Ok(self.stage.db.run_tx("test.poster", step).await?)
    }

    async fn package(&self) -> anyhow::Result<()> {
        let lease = self.claim(Kind::Package).await?;
        let mut packaged = Vec::new();
        for resolution in ["480p", "audio"] {
            let text = format!("#EXTM3U\n# {resolution}\n");
            packaged.push(Packaged {
                transcode: self.rendition(resolution).await?.id,
                playlist_size: text.len() as u64,
                path: self.object(&keys::index(resolution, ATTEMPT), text).await?,
                cid: format!("bafyindex{resolution}"),
                bitrate: 700_000,
                peak_bitrate: 900_000,
                size: 3000,
            });
        }
        let mp4 = "0123456789".repeat(20_000);
        let stored = StoredFile {
            path: self.object(&keys::mp4("480p", ATTEMPT), mp4.clone()).await?,
            cid: "bafymp4".to_owned(),
            size: mp4.len() as u64,
            bitrate: 800_000,
            peak_bitrate: 1_000_000,
            codec: "avc1.64001e,mp4a.40.2".to_owned(),
        };
        let master = format!("#EXTM3U\n# {}\n", "master ".repeat(50));
        let done = Completed {
            duration_ticks: 450_000,
            packaged,
            mp4s: vec![NewRendition {
                format: Format::Mp4,
                resolution: "480p".to_owned(),
                width: Some(854),
                height: Some(480),
                copy: false,
                stored: Some(stored),
            }],
            master: NewFile {
                role: file::Role::Master,
                path: self.object(&keys::master(ATTEMPT), master.clone()).await?,
                cid: "bafymaster".to_owned(),
                size: master.len() as u64,
            },
            root_cid: "bafyroot".to_owned(),
            pins: vec![NewPin::at_node(Role::Published, "bafyroot".to_owned())],
        };
        let step = async move |tx: &Tx| video::completed(tx, &lease, &done).await;
        self.stage.db.run_tx("test.completed", step).await?;
        self.stage.queue.video_changed(self.id).await;
        Ok(())
    }
}
