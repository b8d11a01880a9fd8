//! The frames of a sound track: that all last equally long, and when the first is heard. Only headers are read, no
//! table of sizes or places.

use super::super::window::{Fields, Go, Halt, Window};
use super::boxes::{Place, Table, children, handler, one, only};
use super::edit::{Edits, rescale};
use super::movie;
use super::scan::scale;
use crate::probe::SoundFrames;

/// The frames of stream number `stream`. Unfit where there are fragments, where frames last differently long or are
/// not understood. Everything it needs is to stay in the window.
pub(in super::super) fn sound_frames(window: &Window, stream: u32) -> Go<SoundFrames> {
    let movie = movie(&mut 0, window, Some(super::HOPS))?;
    let parts = children(window, &movie)?;
    if parts.iter().any(|part| matches!(&part.kind, b"mvex" | b"cmov")) {
        return Err(Halt::Unfit);
    }
    let movie_scale = scale(only(&parts, b"mvhd")?.small(window)?)?;
    let nth = usize::try_from(stream).map_err(|_| Halt::Unfit)?;
    let mut tracks = parts.iter().filter(|part| &part.kind == b"trak");
    let place = tracks.nth(nth).ok_or(Halt::Unfit)?;
    // It may hold cover art, which ffmpeg counts as a stream.
    let tagged = |part: &&Place| part.at < place.at && matches!(&part.kind, b"udta" | b"meta");
    if parts.iter().any(|part| tagged(&part)) {
        return Err(Halt::Unfit);
    }
    let track = children(window, place)?;
    let edits = Edits::of(window, &track)?;
    let media = children(window, only(&track, b"mdia")?)?;
    if &handler(window, &media)? != b"soun" {
        return Err(Halt::Unfit);
    }
    let scale = scale(only(&media, b"mdhd")?.small(window)?)?;
    let information = children(window, only(&media, b"minf")?)?;
    let tables = children(window, only(&information, b"stbl")?)?;
    let (length, count) = times(window, &tables)?;
    let empty = rescale(edits.empty.unwrap_or(0), scale, movie_scale)?;
    let (skipped, until) = match edits.shown {
        Some(shown) => {
            (shown.from.cast_signed(), Some(empty + rescale(shown.duration, scale, movie_scale)?))
        }
        None => (0, None),
    };
    Ok(SoundFrames { rate: scale, length, count, first: empty - skipped, from: empty, until })
}

/// Units in each frame, and how many there are.
fn times(window: &Window, tables: &[Place]) -> Go<(u32, u64)> {
    let mut description = only(tables, b"stsd")?.front(window, 16)?;
    description.u32()?;
    // Of several descriptions ffmpeg takes the samples of some; of an encrypted one it takes them as they are.
    let alone = description.u32()? == 1;
    description.u32()?;
    if !alone || description.take(4)? != b"mp4a" {
        return Err(Halt::Unfit);
    }
    // Sound is not reordered.
    if one(tables, b"ctts")?.is_some() {
        return Err(Halt::Unfit);
    }
    let mut sizes = only(tables, b"stsz")?.front(window, 12)?;
    sizes.take(8)?;
    let told = u64::from(sizes.u32()?);
    let table = Table::read(only(tables, b"stts")?, window, 8)?;
    // One run, and perhaps a last frame that is shorter.
    if !(1..=2).contains(&table.count) {
        return Err(Halt::Unfit);
    }
    let mut entries = Fields(window.get(table.at, u64::from(table.count) * 8, 0)?);
    let (mut count, length) = (u64::from(entries.u32()?), entries.u32()?);
    if table.count == 2 {
        let (last, shorter) = (entries.u32()?, entries.u32()?);
        if last != 1 || shorter > length {
            return Err(Halt::Unfit);
        }
        count += 1;
    }
    if length == 0 || count == 0 || count != told {
        return Err(Halt::Unfit);
    }
    Ok((length, count))
}
