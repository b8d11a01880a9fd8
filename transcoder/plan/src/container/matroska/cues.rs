//! Cues (RFC 9559, section 5.1.5), found by the seek head, which lies before the first cluster.

use super::super::MAX_READ;
use super::super::window::{Go, Halt, Window, number};
use super::element::{Element, element};
use super::tracks::{Tracks, each};
use super::{SCALE, id as known};
use crate::Cues;

const SEEK_HEAD: u32 = 0x114d_9b74;
const SEEK: u32 = 0x4dbb;
const SEEK_ID: u32 = 0x53ab;
const SEEK_POSITION: u32 = 0x53ac;
const CUES: u32 = 0x1c53_bb6b;
const CUE_POINT: u32 = 0xbb;
const CUE_TIME: u32 = 0xb3;
const CUE_TRACK_POSITIONS: u32 = 0xb7;
const CUE_TRACK: u32 = 0xf7;

/// What is read at once of the file's head, bytes: ffmpeg and mkvmerge keep some 5 KiB before the first cluster.
const HEAD: u64 = 64 << 10;

/// Most elements before the first cluster.
const ELEMENTS: usize = 64;

/// What the elements before the first cluster tell.
#[derive(Default)]
struct Head {
    scale: Option<u64>,
    track: Option<u64>,
    /// Where the cues begin.
    cues: Option<u64>,
}

/// The cues of stream number `stream`. Unfit where the unit of times is another than the millisecond. Everything it needs
/// is to stay in the window.
pub(in super::super) fn cues(window: &Window, stream: u32) -> Go<Cues> {
    let file = Element::file(window.size());
    let ebml = element(window, 0, &file, HEAD)?;
    if ebml.id != known::EBML {
        return Err(Halt::Unfit);
    }
    let segment = element(window, ebml.end, &file, HEAD)?;
    if segment.id != known::SEGMENT {
        return Err(Halt::Unfit);
    }
    let head = head(window, &segment, stream)?;
    let track = head.track.ok_or(Halt::Unfit)?;
    if head.scale.unwrap_or(SCALE) != SCALE {
        return Err(Halt::Unfit);
    }
    let at = head.cues.filter(|at| *at < segment.end).ok_or(Halt::Unfit)?;
    let list = element(window, at, &segment, MAX_READ)?;
    if list.id != CUES || list.open {
        return Err(Halt::Unfit);
    }
    let (mut at, mut times) = (list.body, Vec::new());
    while at < list.end {
        let point = element(window, at, &list, MAX_READ)?;
        if point.id == CUE_POINT {
            times.extend(time(window.get(point.body, point.length(), MAX_READ)?, track)?);
        }
        at = point.end;
    }
    Cues::new(times).ok_or(Halt::Unfit)
}

fn head(window: &Window, segment: &Element, stream: u32) -> Go<Head> {
    let (mut head, mut at) = (Head::default(), segment.body);
    for _ in 0..ELEMENTS {
        if at >= segment.end {
            break;
        }
        let child = element(window, at, segment, HEAD)?;
        let contents = || window.get(child.body, child.length(), HEAD);
        match child.id {
            known::CLUSTER => break,
            _ if child.open => return Err(Halt::Unfit),
            known::INFO => each(contents()?, |id, content| {
                if id == known::TIMESTAMP_SCALE {
                    head.scale = Some(number(content.get(..8).unwrap_or(content)));
                }
                Ok(())
            })?,
            known::TRACKS => head.track = Some(Tracks::read(contents()?)?.picture(stream)?),
            SEEK_HEAD => head.cues = head.cues.or(sought(contents()?, segment)?),
            CUES => head.cues = Some(at),
            _ => {}
        }
        at = child.end;
    }
    Ok(head)
}

/// Where a seek head says that the cues are.
fn sought(seek_head: &[u8], segment: &Element) -> Go<Option<u64>> {
    let mut found = None;
    each(seek_head, |id, entry| {
        if id != SEEK {
            return Ok(());
        }
        let (mut of, mut position) = (0, None);
        each(entry, |id, content| {
            match id {
                SEEK_ID if content.len() <= 4 => of = number(content),
                SEEK_POSITION if content.len() <= 8 => position = Some(number(content)),
                _ => {}
            }
            Ok(())
        })?;
        if of == u64::from(CUES) {
            found = position.and_then(|position| segment.body.checked_add(position));
        }
        Ok(())
    })?;
    Ok(found)
}

/// The time of a cue point, if it is one of this track.
fn time(point: &[u8], track: u64) -> Go<Option<i64>> {
    let (mut time, mut ours) = (None, false);
    each(point, |id, content| {
        match id {
            CUE_TIME if content.len() <= 8 => time = i64::try_from(number(content)).ok(),
            CUE_TRACK_POSITIONS => each(content, |id, content| {
                ours |= id == CUE_TRACK && content.len() <= 8 && number(content) == track;
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(time.filter(|_| ours))
}
