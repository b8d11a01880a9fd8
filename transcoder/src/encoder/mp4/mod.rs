//! One MP4 of a rung, put together from its stored segments while it is sent: nothing is encoded again,
//! and nothing but the tables and a few segments is held.

mod film;
mod heads;

use std::sync::Arc;

use reelpin_plan::mp4::Layout;
use reelpin_schema::bucket::Bucket;
use reelpin_schema::cid::File;
use reelpin_schema::keys;
use reelpin_schema::settings::MAX_UPLOAD;

use super::Hls;
use crate::error::{Cause, TaskError};
use film::Film;

pub(super) async fn make(
    bucket: &Bucket,
    picture: Option<&Hls>,
    sound: Option<&Hls>,
    key: &str,
) -> Result<Option<File>, TaskError> {
    let renditions: Vec<&Hls> = picture.into_iter().chain(sound).collect();
    let mut tracks = Vec::with_capacity(renditions.len());
    for hls in &renditions {
        tracks.push(heads::track(bucket, hls).await?);
    }
    let laid = tokio::task::spawn_blocking(|| Layout::new(tracks)).await;
    let layout = laid.map_err(|_| Cause::Panic)??;
    if layout.size() > MAX_UPLOAD {
        return Ok(None);
    }
    let film = Arc::new(Film::new(bucket.clone(), layout, &renditions));
    match bucket.put_flow(key, film.flow(), keys::content_type(key)).await {
        Ok(()) => film.made().await.map(Some),
        // Why the flow broke off tells more than that it did.
        Err(e) => Err(film.failure().unwrap_or_else(|| e.into())),
    }
}
