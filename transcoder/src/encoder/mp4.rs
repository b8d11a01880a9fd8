//! One MP4 of a rung, remuxed from its stored segments: nothing is encoded again.

use std::path::{Path, PathBuf};

use reelpin_plan::TICKS;
use reelpin_plan::argv::{self, Input};
use reelpin_plan::fmp4::{Part, Reader};
use reelpin_schema::bucket::Bucket;
use reelpin_schema::cid::{File, FileDag};
use reelpin_schema::keys;
use reelpin_schema::settings::MAX_UPLOAD;
use tokio::io::AsyncWriteExt as _;

use super::{Ffmpeg, Hls, media};
use crate::error::{Cause, TaskError};

/// Bytes read from a finished MP4 at a time for its content id.
const PIECE: usize = 1 << 20;

/// A rendition as one local file.
struct Local {
    path: PathBuf,
    /// Time of its first frame or sample, ticks.
    start: u64,
}

pub(super) async fn make(
    ffmpeg: &Ffmpeg,
    bucket: &Bucket,
    picture: Option<&Hls>,
    sound: Option<&Hls>,
    key: &str,
) -> Result<Option<File>, TaskError> {
    let folder = ffmpeg.folders.folder()?;
    let mut parts = Vec::new();
    for part in [picture, sound] {
        parts.push(match part {
            Some(hls) => Some(fetch(bucket, hls, folder.path()).await?),
            None => None,
        });
    }
    let out = folder.path().join("out.mp4");
    let [picture, sound] = &parts[..] else { return Ok(None) };
    remux(ffmpeg, picture.as_ref(), sound.as_ref(), &out, folder.path()).await?;
    let file = measure(out.clone()).await?;
    if file.size > MAX_UPLOAD {
        return Ok(None);
    }
    bucket.put_file(key, &out, keys::content_type(key)).await?;
    Ok(Some(file))
}

async fn remux(
    ffmpeg: &Ffmpeg,
    picture: Option<&Local>,
    sound: Option<&Local>,
    out: &Path,
    folder: &Path,
) -> Result<(), TaskError> {
    let text = |local: Option<&Local>| {
        local.map(|l| Ok::<_, TaskError>((media::text(&l.path)?, l.start))).transpose()
    };
    let (video, audio) = (text(picture)?, text(sound)?);
    let argv = argv::remux(input(video.as_ref()), input(audio.as_ref()), &media::text(out)?);
    media::finish(ffmpeg, &argv, folder).await?;
    Ok(())
}

fn input(part: Option<&(String, u64)>) -> Option<Input<'_>> {
    part.map(|(path, start)| Input { path, start: *start })
}

/// Brings a rendition's init and segments into one local file.
async fn fetch(bucket: &Bucket, hls: &Hls, folder: &Path) -> Result<Local, TaskError> {
    let path = folder.join(format!("{}.mp4", hls.row.resolution));
    let mut file = tokio::fs::File::create(&path).await?;
    let mut reader = Some(Reader::new());
    let mut start = 0;
    let init = hls.row.init_path.iter().map(|path| (path, hls.row.init_size.unwrap_or(0)));
    for (key, size) in init.chain(hls.segments.iter().map(|s| (&s.path, s.size))) {
        let bytes = bucket.get_bytes(key, size).await?;
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
    Ok(Local { path, start })
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
