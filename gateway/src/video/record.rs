//! A video's record: the one JSON form in which every answer shows a video.

use std::collections::BTreeMap;

use reelpin_schema::db::{DbError, Tx};
use reelpin_schema::failure::Failure;
use reelpin_schema::file::{self, NewFile};
use reelpin_schema::pin::{self, State};
use reelpin_schema::transcode::{self, Format, Transcode};
use reelpin_schema::video::{self, Status, Video};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::facts::{self, Facts};
use crate::Config;
use crate::app::App;
use crate::playback::address;
use crate::problem::Problem;

/// A video. Fields appear as they become known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Record {
    id: Uuid,
    title: String,
    description: String,
    /// The uploaded file's own name.
    filename: String,
    /// Bytes of the original.
    file_size: u64,
    upload_status: Status,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: OffsetDateTime,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<f64>,
    /// Pixels as displayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    /// Pixels as displayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    /// Nominal frames per second: `30000/1001`.
    #[serde(skip_serializing_if = "Option::is_none")]
    frame_rate: Option<String>,
    /// sha-256 of the original, hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum: Option<String>,
    /// CID of the original.
    #[serde(skip_serializing_if = "Option::is_none")]
    ipfs_cid: Option<String>,
    /// CID of the published folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    root_cid: Option<String>,
    /// Why the original's picture is not a rung by itself but encoded again: half a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not_copied: Option<String>,
    /// Why its sound is not the audio by itself but encoded again: half a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    why_audio_not_copied: Option<String>,
    playback: Playback,
    /// HLS first, lowest first, audio last; then the MP4s.
    renditions: Vec<Rendition>,
    pins: Vec<Pin>,
    /// Why it failed.
    error: Option<Failure>,
}

/// Where it can be played.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Playback {
    /// The master playlist.
    #[serde(skip_serializing_if = "Option::is_none")]
    hls: Option<String>,
    /// A still picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    poster: Option<String>,
    /// The published folder's master playlist.
    #[serde(skip_serializing_if = "Option::is_none")]
    ipfs: Option<String>,
}

/// One stored output: a rung in one format, or the audio.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rendition {
    id: Uuid,
    /// `hls` or `mp4`.
    format: &'static str,
    /// `480p`, ... or `audio`.
    resolution: String,
    /// `transcode` or `copy`.
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    /// RFC 6381.
    #[serde(skip_serializing_if = "Option::is_none")]
    codec: Option<String>,
    /// Average bits per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    bitrate: Option<u64>,
    /// Highest bits per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_bitrate: Option<u64>,
    /// Bytes of init and segments, or of the MP4.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// CID of the media playlist, or of the MP4.
    #[serde(skip_serializing_if = "Option::is_none")]
    cid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// What the IPFS node or a pinning service keeps of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Pin {
    /// Which node or service.
    target: String,
    state: State,
    cid: String,
    /// What stands in its way, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl From<pin::Pin> for Pin {
    fn from(pin: pin::Pin) -> Self {
        Self { target: pin.target, state: pin.state, cid: pin.cid, error: pin.error }
    }
}

/// The rows that a record is made of.
pub(crate) struct Parts {
    video: Video,
    facts: Facts,
    renditions: Vec<Transcode>,
    files: Vec<NewFile>,
    pins: Vec<pin::Pin>,
}

/// Reads what belongs to these videos, in their order.
pub(crate) async fn parts(tx: &Tx, videos: Vec<Video>) -> Result<Vec<Parts>, DbError> {
    let ids: Vec<Uuid> = videos.iter().map(|video| video.id).collect();
    let (mut renditions, mut files, mut pins) = (
        BTreeMap::<Uuid, Vec<_>>::new(),
        BTreeMap::<Uuid, Vec<_>>::new(),
        BTreeMap::<Uuid, Vec<_>>::new(),
    );
    for row in transcode::of_videos(tx, &ids).await? {
        renditions.entry(row.video_id).or_default().push(row);
    }
    for (id, row) in file::of_videos(tx, &ids).await? {
        files.entry(id).or_default().push(row);
    }
    for (id, row) in pin::of_videos(tx, &ids).await? {
        pins.entry(id).or_default().push(row);
    }
    videos
        .into_iter()
        .map(|video| {
            Ok(Parts {
                facts: facts::facts(&video)?,
                renditions: renditions.remove(&video.id).unwrap_or_default(),
                files: files.remove(&video.id).unwrap_or_default(),
                pins: pins.remove(&video.id).unwrap_or_default(),
                video,
            })
        })
        .collect()
}

/// Which playlist a record names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// One to which nothing will be added.
    Whole,
    /// Any that can be played.
    Growing,
}

/// Reads one video's record.
pub(crate) async fn read(app: &App, id: Uuid, show: Show) -> Result<Record, Problem> {
    let found = app
        .engines
        .db
        .run_tx("video.record", async move |tx| match video::get(tx, id).await? {
            Some(video) if video.status == Status::Deleted => Ok(Some(Err(video))),
            Some(video) => Ok(parts(tx, vec![video]).await?.pop().map(Ok)),
            None => Ok::<_, DbError>(None),
        })
        .await?;
    match found {
        Some(Ok(parts)) => Ok(parts.record(&app.config, show)),
        Some(Err(_)) => Err(Problem::video_deleted()),
        None => Err(Problem::video_not_found()),
    }
}

/// A video that is there and not deleted.
pub(crate) fn present(video: Option<Video>) -> Result<Video, Problem> {
    match video {
        Some(video) if video.status == Status::Deleted => Err(Problem::video_deleted()),
        Some(video) => Ok(video),
        None => Err(Problem::video_not_found()),
    }
}

impl Parts {
    pub(crate) fn id(&self) -> Uuid {
        self.video.id
    }

    pub(crate) fn record(self, config: &Config, show: Show) -> Record {
        let playback = self.playback(config, show);
        let Self { video, facts, renditions, pins, .. } = self;
        // What was whole before the picture was planned anew is kept.
        let copied = renditions.iter().any(|row| row.is_audio() && row.kind == "copy");
        Record {
            id: video.id,
            title: video.title,
            description: video.description,
            filename: video.filename,
            file_size: video.file_size,
            upload_status: video.status,
            created_at: video.created_at,
            updated_at: video.updated_at,
            duration: facts.duration,
            width: facts.width,
            height: facts.height,
            frame_rate: facts.frame_rate,
            checksum: video.checksum,
            ipfs_cid: video.ipfs_cid,
            root_cid: video.root_cid,
            why_not_copied: facts.why_not_copied,
            why_audio_not_copied: facts.why_audio_not_copied.filter(|_| !copied),
            playback,
            renditions: renditions.into_iter().map(|row| rendition(config, row)).collect(),
            pins: pins.into_iter().map(Pin::from).collect(),
            error: video.error,
        }
    }

    fn playback(&self, config: &Config, show: Show) -> Playback {
        let shown = show == Show::Growing || self.video.status.is_ended();
        let id = self.video.id;
        let file = |role| self.files.iter().find(|file| file.role == role);
        let hls = match file(file::Role::Master) {
            Some(master) => Some(address::master(config, id, &master.path)),
            None => (shown && can_play(&self.renditions)).then(|| address::live_master(config, id)),
        };
        Playback {
            hls,
            poster: file(file::Role::Poster).map(|_| address::poster(config, id)),
            ipfs: self.video.root_cid.as_ref().map(|cid| format!("ipfs://{cid}/master.m3u8")),
        }
    }
}

/// Whether one rung (if there is a picture) and the audio (if any) have their first segment: what
/// is stored of a failed or cancelled video stays playable.
pub(crate) fn can_play(renditions: &[Transcode]) -> bool {
    let hls = || renditions.iter().filter(|row| row.format == Format::Hls);
    let pictures = hls().any(|row| !row.is_audio());
    let picture = hls().any(|row| !row.is_audio() && row.listed_at.is_some());
    let sound = hls().filter(|row| row.is_audio()).all(|row| row.prefix > 0);
    hls().next().is_some() && (picture || !pictures) && sound
}

fn rendition(config: &Config, row: Transcode) -> Rendition {
    let url = match row.format {
        Format::Mp4 => {
            row.file_path.as_ref().map(|_| address::mp4(config, row.video_id, &row.resolution))
        }
        Format::Hls => match (&row.file_path, row.listed_at) {
            (Some(path), _) => Some(address::stored(config, row.video_id, path)),
            (None, Some(_)) => Some(address::live(config, row.video_id, &row.resolution)),
            (None, None) => None,
        },
    };
    Rendition {
        id: row.id,
        format: row.format.name(),
        resolution: row.resolution,
        kind: row.kind,
        width: row.width,
        height: row.height,
        codec: row.codec,
        bitrate: row.bitrate,
        peak_bitrate: row.peak_bitrate,
        size: row.size,
        cid: row.file_cid,
        url,
    }
}
