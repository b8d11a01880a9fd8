//! The final playlists, rendered by the plan's rules from what is stored, and stored themselves.

use bytes::Bytes;
use reelpin_plan::Plan;
use reelpin_plan::playlist::{self, AudioRendition, Entry, Media, Variant};
use reelpin_schema::file::{NewFile, Role};
use reelpin_schema::keys;
use reelpin_schema::task::Lease;
use reelpin_schema::transcode::Packaged;

use crate::encoder::Hls;
use crate::error::{Cause, TaskError};
use crate::work::Work;

/// Stores the media playlist of a rendition, and measures it. `target` is in seconds.
pub(super) async fn media(
    work: &Work,
    lease: &Lease,
    target: u32,
    hls: &Hls,
) -> Result<Packaged, TaskError> {
    let init = hls.row.init_path.as_deref().ok_or(Cause::Row("a rendition has no init"))?;
    let segments: Vec<Entry<'_>> = hls
        .segments
        .iter()
        .map(|s| Entry { uri: beside(&s.path), duration: s.duration_ticks })
        .collect();
    let text = playlist::media(&Media {
        target_duration: target,
        init: beside(init),
        segments: &segments,
    });
    let name = keys::index(&hls.row.resolution, &lease.suffix());
    let (path, cid, playlist_size) = put(work, lease, &name, text).await?;
    let measures = hls.measures();
    let stored: u64 = hls.segments.iter().map(|s| s.size).sum();
    Ok(Packaged {
        transcode: hls.row.id,
        path,
        cid,
        playlist_size,
        bitrate: playlist::average_bitrate(&measures),
        peak_bitrate: playlist::peak_bitrate(&measures, target),
        size: stored + hls.row.init_size.unwrap_or(0),
    })
}

/// Stores the master playlist of all renditions.
pub(super) async fn master(
    work: &Work,
    lease: &Lease,
    plan: &Plan,
    all: &[Hls],
    packaged: &[Packaged],
) -> Result<NewFile, TaskError> {
    let prefix = keys::media(lease.video());
    let mut variants = Vec::new();
    let mut sound = None;
    for (hls, done) in all.iter().zip(packaged) {
        let uri = done.path.strip_prefix(&prefix).unwrap_or(&done.path);
        let codec = hls.row.codec.as_deref().ok_or(Cause::Row("a rendition has no codec"))?;
        let (peak, average) = (done.peak_bitrate, done.bitrate);
        if hls.row.is_audio() {
            let planned = plan.audio.as_ref();
            sound = Some(AudioRendition {
                uri,
                codec,
                channels: planned.map_or(2, |a| a.channels),
                language: planned.and_then(|a| a.language.as_deref()),
                peak,
                average,
            });
        } else {
            let picture = plan.video.as_ref().ok_or(Cause::Row("the plan has no picture"))?;
            variants.push(Variant {
                uri,
                width: hls.row.width.unwrap_or(0),
                height: hls.row.height.unwrap_or(0),
                codec,
                frame_rate: picture.frame_rate,
                peak,
                average,
            });
        }
    }
    let text = playlist::master(&variants, sound.as_ref());
    let name = keys::master(&lease.suffix());
    let (path, cid, size) = put(work, lease, &name, text).await?;
    Ok(NewFile { role: Role::Master, path, cid, size })
}

/// The name of a file as a playlist in the same folder writes it.
fn beside(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

async fn put(
    work: &Work,
    lease: &Lease,
    name: &str,
    text: String,
) -> Result<(String, String, u64), TaskError> {
    let key = format!("{}{name}", keys::media(lease.video()));
    let bytes = Bytes::from(text);
    let (cid, size) = (work.hashed(bytes.clone()).await?, bytes.len() as u64);
    work.bucket().put(&key, bytes, keys::content_type(&key)).await?;
    Ok((key, cid, size))
}
