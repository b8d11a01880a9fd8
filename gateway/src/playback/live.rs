//! Playlists rendered from rows, before the final ones are stored and afterwards: of the rungs
//! whose segments are all there, so they have their end from the beginning. Kept for a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use reelpin_plan::Plan;
use reelpin_plan::playlist::{self, AudioRendition, Entry, Media, Variant};
use reelpin_schema::db::DbError;
use reelpin_schema::segment::{self, Segment};
use reelpin_schema::transcode::{self, Format, Transcode};
use reelpin_schema::video;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use uuid::Uuid;

use super::address::LIVE;
use super::text::Playlist;
use crate::app::App;
use crate::problem::{Code, Problem};
use crate::video::{facts, record};

/// How long a rendered playlist is served: players poll every 2 to 6 s.
const KEPT: Duration = Duration::from_secs(1);

/// The most playlists kept, and the most bytes of names and texts of one are bounded by the plan.
const MOST: usize = 256;

/// The most segments of a rendition: three times the longest film's.
const SEGMENTS: i64 = 20_000;

/// Playlists of the last second.
#[derive(Default)]
pub(crate) struct Cache(Mutex<HashMap<Name, (Instant, Arc<Playlist>)>>);

/// A video and a playlist's relative name.
type Name = (Uuid, String);

impl Cache {
    pub(crate) fn get(&self, id: Uuid, name: &str) -> Option<Arc<Playlist>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, playlist) = kept.get(&(id, name.to_owned()))?;
        (at.elapsed() < KEPT).then(|| playlist.clone())
    }

    pub(crate) fn put(&self, id: Uuid, name: &str, playlist: Playlist) -> Arc<Playlist> {
        let playlist = Arc::new(playlist);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (at, _)| at.elapsed() < KEPT);
        if kept.len() < MOST {
            kept.insert((id, name.to_owned()), (Instant::now(), playlist.clone()));
        }
        playlist
    }
}

/// The master of what is stored whole.
pub(crate) async fn master(app: &App, id: Uuid) -> Result<Arc<Playlist>, Problem> {
    if let Some(playlist) = app.live.get(id, LIVE) {
        return Ok(playlist);
    }
    let (plan, rows) = app
        .engines
        .db
        .run_tx("playback.live", async move |tx| {
            let video = video::get(tx, id).await?;
            let plan = video.as_ref().map(facts::plan).transpose()?.flatten();
            Ok::<_, DbError>((plan, transcode::of_video(tx, id).await?))
        })
        .await?;
    let plan = plan.ok_or_else(not_yet)?;
    if !record::can_play(&rows) {
        return Err(not_yet());
    }
    let text = render(&plan, &rows);
    Ok(app.live.put(id, LIVE, hashed(text)))
}

fn render(plan: &Plan, rows: &[Transcode]) -> String {
    let stored = |row: &&Transcode| row.format == Format::Hls && row.stored_at.is_some();
    let names: Vec<(String, &Transcode)> =
        rows.iter().filter(stored).map(|row| (format!("{}/{LIVE}", row.resolution), row)).collect();
    let frame_rate = plan.video.as_ref().map(|video| video.frame_rate);
    let variants: Vec<Variant<'_>> = names
        .iter()
        .filter_map(|(uri, row)| {
            let cap = plan
                .video
                .as_ref()
                .and_then(|video| video.rungs.iter().find(|rung| rung.name == row.resolution))
                .map(|rung| rung.max_bitrate);
            Some(Variant {
                uri,
                width: row.width?,
                height: row.height?,
                codec: row.codec.as_deref()?,
                frame_rate: frame_rate?,
                peak: row.peak_bitrate.or(cap)?,
                average: row.bitrate.or(cap)?,
            })
        })
        .collect();
    let audio = plan.audio.as_ref().and_then(|audio| {
        let (uri, row) = names.iter().find(|(_, row)| row.is_audio())?;
        let cap = u64::from(audio.bitrate);
        Some(AudioRendition {
            uri,
            codec: row.codec.as_deref()?,
            channels: audio.channels,
            language: audio.language.as_deref(),
            peak: row.peak_bitrate.unwrap_or(cap),
            average: row.bitrate.unwrap_or(cap),
        })
    });
    playlist::master(&variants, audio.as_ref())
}

/// The media playlist of a rendition that is stored whole.
pub(crate) async fn media(app: &App, id: Uuid, resolution: &str) -> Result<Arc<Playlist>, Problem> {
    let name = format!("{resolution}/{LIVE}");
    if let Some(playlist) = app.live.get(id, &name) {
        return Ok(playlist);
    }
    let wanted = resolution.to_owned();
    let (plan, row, segments) = app
        .engines
        .db
        .run_tx("playback.media", async move |tx| {
            let video = video::get(tx, id).await?;
            let plan = video.as_ref().map(facts::plan).transpose()?.flatten();
            let rows = transcode::of_video(tx, id).await?;
            let row = rows.into_iter().find(|r| r.format == Format::Hls && r.resolution == wanted);
            let segments = match &row {
                Some(row) => segment::of_transcode(tx, row.id, 0, SEGMENTS).await?,
                None => Vec::new(),
            };
            Ok::<_, DbError>((plan, row, segments))
        })
        .await?;
    let plan = plan.ok_or_else(not_yet)?;
    let row = row.ok_or_else(Problem::file_not_found)?;
    let (Some(init), Some(_)) = (&row.init_path, row.stored_at) else { return Err(not_yet()) };
    let text = list(&plan, init, &segments);
    Ok(app.live.put(id, &name, hashed(text)))
}

fn list(plan: &Plan, init: &str, segments: &[Segment]) -> String {
    let durations = segments.iter().map(|segment| segment.duration_ticks);
    let target_duration = playlist::target_duration(plan.target_duration, durations);
    let entries: Vec<Entry<'_>> = segments
        .iter()
        .map(|segment| Entry { uri: last(&segment.path), duration: segment.duration_ticks })
        .collect();
    playlist::media(&Media { target_duration, init: last(init), segments: &entries })
}

/// A key's last part: the name relative to the playlist beside it.
fn last(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

fn hashed(text: String) -> Playlist {
    let digest = Sha256::digest(text.as_bytes());
    let tag = HEXLOWER.encode(digest.get(..16).unwrap_or_default());
    Playlist::new(Bytes::from(text), tag)
}

fn not_yet() -> Problem {
    Problem::new(
        Code::NotPlayableYet,
        "Nothing of this video can be played yet.",
        "Wait for the event playable, or for playback.hls in the video's record.",
    )
}
