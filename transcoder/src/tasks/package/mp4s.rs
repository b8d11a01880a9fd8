//! An MP4 for each rung, with the sound; without a picture, one of the sound.

use reelpin_plan::{TICKS, playlist};
use reelpin_schema::keys;
use reelpin_schema::task::Lease;
use reelpin_schema::transcode::{AUDIO, Format, NewRendition, StoredFile};

use crate::encoder::Hls;
use crate::error::TaskError;
use crate::work::Work;

/// Makes and stores the MP4s, lowest rung first. One that a single PUT cannot carry is left out.
pub(super) async fn make(
    work: &Work,
    lease: &Lease,
    target: u32,
    all: &[Hls],
) -> Result<Vec<NewRendition>, TaskError> {
    let sound = all.iter().find(|hls| hls.row.is_audio());
    let mut made = Vec::new();
    for picture in all.iter().filter(|hls| !hls.row.is_audio()) {
        made.extend(one(work, lease, target, Some(picture), sound).await?);
    }
    if all.iter().all(|hls| hls.row.is_audio()) {
        made.extend(one(work, lease, target, None, sound).await?);
    }
    Ok(made)
}

async fn one(
    work: &Work,
    lease: &Lease,
    target: u32,
    picture: Option<&Hls>,
    sound: Option<&Hls>,
) -> Result<Option<NewRendition>, TaskError> {
    let row = picture.map(|hls| &hls.row);
    let resolution = row.map_or(AUDIO, |row| &row.resolution);
    let key = format!("{}{}", keys::media(lease.video()), keys::mp4(resolution, &lease.suffix()));
    let Some(file) = work.encoder.mp4(work.bucket(), picture, sound, &key).await? else {
        tracing::warn!(video.id = %lease.video(), resolution, "an MP4 is too large for one PUT; left out");
        return Ok(None);
    };
    let parts = || picture.into_iter().chain(sound);
    let codecs: Vec<_> = parts().filter_map(|hls| hls.row.codec.clone()).collect();
    let longest = parts()
        .map(|hls| hls.segments.iter().map(|s| s.duration_ticks).sum::<u64>())
        .max()
        .unwrap_or(TICKS);
    let bitrate = playlist::average_bitrate(&[(file.size, longest)]);
    let peak: u64 = parts().map(|hls| playlist::peak_bitrate(&hls.measures(), target)).sum();
    Ok(Some(NewRendition {
        format: Format::Mp4,
        resolution: resolution.to_owned(),
        width: row.and_then(|row| row.width),
        height: row.and_then(|row| row.height),
        copy: picture.is_some_and(|hls| hls.row.kind == "copy"),
        stored: Some(StoredFile {
            path: key,
            cid: file.cid.to_string(),
            size: file.size,
            bitrate,
            peak_bitrate: peak.max(bitrate),
            codec: codecs.join(","),
        }),
    }))
}
