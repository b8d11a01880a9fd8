//! An MP4 for each rung, remuxed from its stored segments: nothing is encoded again.

use std::path::{Path, PathBuf};

use reelpin_plan::argv::{self, Input};
use reelpin_plan::fmp4::{Part, Reader};
use reelpin_plan::{TICKS, playlist};
use reelpin_schema::cid::{File, FileDag};
use reelpin_schema::keys;
use reelpin_schema::settings::MAX_UPLOAD;
use reelpin_schema::task::Lease;
use reelpin_schema::transcode::{AUDIO, Format, NewRendition, StoredFile};
use tokio::io::AsyncWriteExt as _;

use super::Hls;
use crate::error::{Cause, TaskError};
use crate::media;
use crate::work::Work;

/// Bytes read from a finished MP4 at a time for its content id.
const PIECE: usize = 1 << 20;

/// A rendition as one local file.
struct Local<'a> {
    hls: &'a Hls,
    path: PathBuf,
    /// Time of its first frame or sample, ticks.
    start: u64,
}

/// Makes and stores the MP4s, lowest rung first; without a picture, one of the sound. One that a
/// single PUT cannot carry is left out.
pub(super) async fn make(
    work: &Work,
    lease: &Lease,
    target: u32,
    all: &[Hls],
) -> Result<Vec<NewRendition>, TaskError> {
    let folder = work.folders.folder()?;
    let sound = match all.iter().find(|hls| hls.row.is_audio()) {
        Some(hls) => Some(fetch(work, hls, folder.path()).await?),
        None => None,
    };
    let mut made = Vec::new();
    for hls in all.iter().filter(|hls| !hls.row.is_audio()) {
        let picture = fetch(work, hls, folder.path()).await?;
        made.extend(one(work, lease, target, Some(&picture), sound.as_ref(), folder.path()).await?);
        tokio::fs::remove_file(&picture.path).await?;
    }
    if all.iter().all(|hls| hls.row.is_audio()) {
        made.extend(one(work, lease, target, None, sound.as_ref(), folder.path()).await?);
    }
    Ok(made)
}

async fn one(
    work: &Work,
    lease: &Lease,
    target: u32,
    picture: Option<&Local<'_>>,
    sound: Option<&Local<'_>>,
    folder: &Path,
) -> Result<Option<NewRendition>, TaskError> {
    let row = picture.map(|local| &local.hls.row);
    let resolution = row.map_or(AUDIO, |row| &row.resolution);
    let out = folder.join("out.mp4");
    remux(work, picture, sound, &out, folder).await?;
    let file = measure(out.clone()).await?;
    if file.size > MAX_UPLOAD {
        let (video, bytes) = (lease.video(), file.size);
        tracing::warn!(video.id = %video, resolution, bytes, "an MP4 is too large for one PUT; left out");
        return Ok(None);
    }
    let key = format!("{}{}", keys::media(lease.video()), keys::mp4(resolution, &lease.suffix()));
    work.bucket().put_file(&key, &out, keys::content_type(&key)).await?;
    tokio::fs::remove_file(&out).await?;

    let parts = || picture.into_iter().chain(sound).map(|local| local.hls);
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

async fn remux(
    work: &Work,
    picture: Option<&Local<'_>>,
    sound: Option<&Local<'_>>,
    out: &Path,
    folder: &Path,
) -> Result<(), TaskError> {
    let text = |local: Option<&Local<'_>>| {
        local.map(|l| Ok::<_, TaskError>((media::text(&l.path)?, l.start))).transpose()
    };
    let (video, audio) = (text(picture)?, text(sound)?);
    let argv = argv::remux(input(video.as_ref()), input(audio.as_ref()), &media::text(out)?);
    media::finish(work, &argv, folder, &[]).await?;
    Ok(())
}

fn input(part: Option<&(String, u64)>) -> Option<Input<'_>> {
    part.map(|(path, start)| Input { path, start: *start })
}

/// Brings a rendition's init and segments into one local file.
async fn fetch<'a>(work: &Work, hls: &'a Hls, folder: &Path) -> Result<Local<'a>, TaskError> {
    let path = folder.join(format!("{}.mp4", hls.row.resolution));
    let mut file = tokio::fs::File::create(&path).await?;
    let mut reader = Some(Reader::new());
    let mut start = 0;
    let init = hls.row.init_path.iter().map(|path| (path, hls.row.init_size.unwrap_or(0)));
    for (key, size) in init.chain(hls.segments.iter().map(|s| (&s.path, s.size))) {
        let bytes = work.bucket().get_bytes(key, size).await?;
        if bytes.len() as u64 != size {
            return Err(Cause::Row("a stored segment has another size than its row").into());
        }
        let parts = reader.as_mut().map(|reader| reader.push(&bytes)).transpose()?;
        for part in parts.into_iter().flatten() {
            if let (Part::Fragment(first), Some(_)) = (part, &reader) {
                start = u64::try_from(first.start).unwrap_or(0) * TICKS
                    / u64::from(first.timescale.max(1));
                reader = None;
            }
        }
        file.write_all(&bytes).await?;
    }
    file.flush().await?;
    Ok(Local { hls, path, start })
}

async fn measure(path: PathBuf) -> Result<File, TaskError> {
    let file = tokio::task::spawn_blocking(move || {
        use std::io::Read as _;
        let mut file = std::fs::File::open(path)?;
        let (mut dag, mut piece) = (FileDag::new(), vec![0; PIECE]);
        loop {
            match file.read(&mut piece)? {
                0 => return Ok::<_, std::io::Error>(dag.finish()),
                read => dag.push(&piece[..read]),
            }
        }
    })
    .await
    .map_err(|_| Cause::Panic)??;
    Ok(file)
}
