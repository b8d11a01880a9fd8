//! The frame index of an original: from its container's own tables, which are a small part of it. Most are read while
//! ffprobe still looks.

use std::sync::Arc;

use reelpin_plan::container::{CueWalk, SoundWalk, Step};
use reelpin_plan::probe::SoundFrames;
use reelpin_plan::{Cues, Index, Probe, Walk, argv};

use super::source::Source;
use super::{Ffmpeg, media};
use crate::error::TaskError;

/// Files of which ffprobe may read everything when their tables do not tell, bytes: 64 MiB, some 0.1 s.
const SMALL: u64 = 64 << 20;

/// A walk that has ended, and what it gave.
pub(super) struct Walked {
    walk: Walk,
    index: Option<Index>,
}

/// Reads the tables of the first picture, of whose file nothing is known.
pub(super) async fn ahead(original: &Source) -> Result<Walked, TaskError> {
    walked(original, Walk::ahead(original.size())).await
}

/// The index, where one can be had; `ahead` is what was read before.
pub(super) async fn read(
    ffmpeg: &Ffmpeg,
    original: &Arc<Source>,
    probe: &Probe,
    ahead: Walked,
) -> Result<Option<Index>, TaskError> {
    let known = ahead.index.filter(|_| ahead.walk.is_of(probe, original.size()));
    drop(ahead.walk);
    let index = match known {
        Some(index) => Some(index),
        None => match Walk::new(probe, original.size()) {
            Some(walk) => walked(original, walk).await?.index,
            None => None,
        },
    };
    if index.is_some() {
        return Ok(index);
    }
    match probe.indexable() {
        Some(stream) if original.size() <= SMALL => packets(ffmpeg, original, stream).await,
        _ => Ok(None),
    }
}

/// Where decoding can begin in a file that is too large for an index.
pub(super) async fn cues(original: &Source, probe: &Probe) -> Result<Option<Cues>, TaskError> {
    match CueWalk::new(probe, original.size()) {
        Some(mut walk) => stepped(original, walk.start(), |bytes| walk.next(bytes)).await,
        None => Ok(None),
    }
}

/// The frames of the sound that is used, where its tables tell them.
pub(super) async fn sound(
    original: &Source,
    probe: &Probe,
) -> Result<Option<SoundFrames>, TaskError> {
    match SoundWalk::new(probe, original.size()) {
        Some(mut walk) => stepped(original, walk.start(), |bytes| walk.next(bytes)).await,
        None => Ok(None),
    }
}

async fn walked(original: &Source, mut walk: Walk) -> Result<Walked, TaskError> {
    let index = stepped(original, walk.start(), |bytes| walk.next(bytes)).await?;
    Ok(Walked { walk, index })
}

/// Reads for a reader of tables until it has done.
async fn stepped<T>(
    original: &Source,
    mut step: Step<T>,
    mut next: impl FnMut(&[u8]) -> Step<T>,
) -> Result<Option<T>, TaskError> {
    loop {
        match step {
            Step::Done(found) => return Ok(found),
            Step::Read { offset, length } => step = next(&original.read(offset, length).await?),
        }
    }
}

/// From ffprobe, which reads the whole file.
async fn packets(
    ffmpeg: &Ffmpeg,
    original: &Arc<Source>,
    stream: u32,
) -> Result<Option<Index>, TaskError> {
    let folder = ffmpeg.folders.folder()?;
    let lent = original.lend().await?;
    let argv = argv::packets(&lent.url(), stream);
    match media::look(ffmpeg, &argv, folder.path(), &lent).await {
        Ok(told) => Ok(Index::parse(&String::from_utf8_lossy(&told))),
        Err(e) if e.is_theirs() => Ok(None),
        Err(e) => Err(e.cause(argv.program).into()),
    }
}
