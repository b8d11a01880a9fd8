//! `GET /video/{id}/hls/...`: playlists and what they name.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use reelpin_schema::{file, keys};
use uuid::Uuid;

use super::address::{LIVE, MASTER};
use super::answer::{About, Keep};
use super::text::Playlist;
use super::{alive, live, object};
use crate::app::{App, Shared};
use crate::extract::At;
use crate::openapi::problems;
use crate::problem::Problem;

/// The longest name that we write, with room: `1080p/00000000-abcdef.m4s`.
const NAME: usize = 64;

/// What we write.
const ENDINGS: &[&str] = &[".m3u8", ".m4s", ".mp4", ".jpg"];

/// The most bytes of a stored playlist: 100 hours of six-second segments.
const PLAYLIST: u64 = 4 * 1024 * 1024;

/// Playlists, init and media segments.
///
/// `master.m3u8` is the final master, or before it is there the growing one, which `live.m3u8`
/// names. Everything else is a stored file by its own name and never changes.
#[utoipa::path(
    get, path = "/video/{id}/hls/{*path}", tag = "playback",
    params(
        ("id" = Uuid, Path, description = "The video's id"),
        ("path" = String, Path, description = "`master.m3u8`, `live.m3u8`, `480p/live.m3u8`, or a name from a playlist"),
    ),
    responses(
        (status = 200, description = "The file", content_type = "application/vnd.apple.mpegurl"),
        (status = 206, description = "A part of it"),
        (status = 304, description = "The client has it"),
        Problems
    )
)]
pub(crate) async fn get(
    State(app): State<Shared>,
    At((id, path)): At<(Uuid, String)>,
    method: Method,
    request: HeaderMap,
) -> Result<Response, Problem> {
    if !is_name(&path) {
        return Err(Problem::file_not_found());
    }
    alive::check(&app, id).await?;
    match path.rsplit_once('/') {
        None if path == MASTER => match master(&app, id).await? {
            Some(name) => Ok(stored(&app, id, &name).await?.answer(&method, &request, Keep::Ask)),
            None => Ok(live::master(&app, id).await?.answer(&method, &request, Keep::Ask)),
        },
        None if path == LIVE => {
            Ok(live::master(&app, id).await?.answer(&method, &request, Keep::Ask))
        }
        Some((rung, LIVE)) => {
            Ok(live::media(&app, id, rung).await?.answer(&method, &request, Keep::Ask))
        }
        _ if path.ends_with(".m3u8") => {
            Ok(stored(&app, id, &path).await?.answer(&method, &request, Keep::Forever))
        }
        _ => {
            let about = About {
                etag: format!("\"{path}\""),
                kind: kind(&path),
                keep: Keep::Forever,
                disposition: None,
            };
            let key = format!("{}{path}", keys::media(id));
            object::serve(&app, &method, &request, &key, &about).await
        }
    }
}

/// A relative name as we write them: parts of `[a-z0-9._-]`, none hidden, empty or upwards, the
/// last with an ending of ours (a folder's name means nothing to S3, but some engines mind).
fn is_name(path: &str) -> bool {
    path.len() <= NAME
        && ENDINGS.iter().any(|ending| path.ends_with(ending))
        && path.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
        })
}

/// The folder of the audio rendition.
const AUDIO: &str = "audio/";

fn kind(path: &str) -> &'static str {
    if path.starts_with(AUDIO) && (path.ends_with(".m4s") || path.ends_with(".mp4")) {
        // Apple's authoring rule 10.4.
        return "audio/mp4";
    }
    keys::content_type(path)
}

/// The relative name of the final master, when there is one.
async fn master(app: &App, id: Uuid) -> Result<Option<String>, Problem> {
    let files = app
        .engines
        .db
        .run_tx("playback.master", async move |tx| file::of_video(tx, id).await)
        .await?;
    let path = files.into_iter().find(|file| file.role == file::Role::Master).map(|f| f.path);
    Ok(path.and_then(|path| path.strip_prefix(&keys::media(id)).map(str::to_owned)))
}

/// A stored playlist; its bytes are kept for a moment, as many players ask for the same.
async fn stored(app: &App, id: Uuid, name: &str) -> Result<Arc<Playlist>, Problem> {
    if let Some(playlist) = app.live.get(id, name) {
        return Ok(playlist);
    }
    let key = format!("{}{name}", keys::media(id));
    let bytes = app.engines.bucket.get_bytes(&key, PLAYLIST).await.map_err(object::missing)?;
    Ok(app.live.put(id, name, Playlist::new(bytes, name.to_owned())))
}

problems!(Problems: VideoNotFound, FileNotFound, NotPlayableYet, MadeAnew, VideoDeleted, BadRange);
