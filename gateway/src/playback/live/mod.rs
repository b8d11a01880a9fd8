//! Playlists rendered from rows, while segments are added and afterwards. Each rendering is kept for a
//! second, and all of a video's within one second show it at the same moment.

mod growing;
mod kept;
mod render;

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::RETRY_AFTER;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use reelpin_schema::db::DbError;
use reelpin_schema::segment;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use self::growing::Growing;
use self::kept::Kept;
use super::address::LIVE;
use super::text::Playlist;
use crate::app::App;
use crate::problem::{Code, Problem};

/// The most segments of a rendition: three times the longest film's.
const SEGMENTS: i64 = 20_000;

/// How long a request waits for what is made anew: players ask again after a 503, but not for ever (hls.js 1.7 for 3 s), and
/// wait at least 10 s for the first byte of an answer (hls.js).
const HELD: Duration = Duration::from_secs(8);

/// Between two looks at what is made anew.
const LOOK: Duration = Duration::from_millis(500);

/// Playlists of the last second, and the moments that they show.
#[derive(Default)]
pub(crate) struct Cache {
    playlists: Kept<Name, Playlist>,
    growing: Kept<Uuid, Growing>,
}

/// A video and a playlist's relative name.
type Name = (Uuid, String);

impl Cache {
    pub(crate) fn get(&self, id: Uuid, name: &str) -> Option<Arc<Playlist>> {
        self.playlists.get(&(id, name.to_owned()))
    }

    pub(crate) fn put(&self, id: Uuid, name: &str, playlist: Playlist) -> Arc<Playlist> {
        self.playlists.put((id, name.to_owned()), playlist)
    }
}

/// The master of the rungs that have joined the ladder.
pub(crate) async fn master(app: &App, id: Uuid) -> Result<Arc<Playlist>, Problem> {
    if let Some(playlist) = app.live.get(id, LIVE) {
        return Ok(playlist);
    }
    let growing = awaited(app, id, Growing::can_play).await?;
    Ok(app.live.put(id, LIVE, hashed(render::master(&growing))))
}

/// The media playlist of a rendition that the master lists.
pub(crate) async fn media(app: &App, id: Uuid, resolution: &str) -> Result<Arc<Playlist>, Problem> {
    let name = format!("{resolution}/{LIVE}");
    if let Some(playlist) = app.live.get(id, &name) {
        return Ok(playlist);
    }
    let growing = awaited(app, id, |growing| growing.has(resolution)).await?;
    let row = growing.row(resolution).ok_or_else(Problem::file_not_found)?;
    let init = row.init_path.as_deref().ok_or_else(not_yet)?;
    let rendition = row.id;
    let segments = app
        .engines
        .db
        .run_tx("playback.media", async move |tx| {
            segment::of_transcode(tx, rendition, 0, SEGMENTS).await
        })
        .await?;
    let (shown, ended) = growing.shown(row, &segments);
    let text = render::media(&growing, init, shown, ended);
    Ok(app.live.put(id, &name, hashed(text)))
}

/// A video of which this `is_there`, which is waited for while it is made anew.
async fn awaited(
    app: &App,
    id: Uuid,
    is_there: impl Fn(&Growing) -> bool,
) -> Result<Arc<Growing>, Problem> {
    let since = Instant::now();
    loop {
        let growing = growing(app, id).await?;
        if is_there(&growing) {
            return Ok(growing);
        }
        if !growing.is_made_anew() {
            return Err(not_yet());
        }
        if since.elapsed() >= HELD {
            return Err(made_anew());
        }
        sleep(LOOK).await;
    }
}

/// The video as all its playlists of this second show it.
async fn growing(app: &App, id: Uuid) -> Result<Arc<Growing>, Problem> {
    if let Some(growing) = app.live.growing.get(&id) {
        return Ok(growing);
    }
    let read = async move |tx: &reelpin_schema::db::Tx| Growing::read(tx, id).await;
    let growing = app.engines.db.run_tx::<_, DbError, _>("playback.growing", read).await?;
    Ok(app.live.growing.put(id, growing.ok_or_else(not_yet)?))
}

fn hashed(text: String) -> Playlist {
    let digest = Sha256::digest(text.as_bytes());
    let tag = HEXLOWER.encode(digest.get(..16).unwrap_or_default());
    Playlist::new(Bytes::from(text), tag)
}

/// Players give up at a 404, and ask again after a 503.
fn made_anew() -> Problem {
    Problem::new(
        Code::MadeAnew,
        "A part of this video could not be used as it was, and is made once more.",
        "Ask again in a second.",
    )
    .with(RETRY_AFTER, HeaderValue::from_static("1"))
}

fn not_yet() -> Problem {
    Problem::new(
        Code::NotPlayableYet,
        "Nothing of this video can be played yet.",
        "Wait for the event playable.",
    )
}
