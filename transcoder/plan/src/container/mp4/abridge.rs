//! A movie's box without the samples after the film's beginning, for programs that read no further.
//!
//! Of 2 h it is 6 MB, of which ffmpeg makes lists before it gives the first frame (measured with 5.1.9: 45 ms,
//! for each program). What is taken out is taken out of the tables of sizes, offsets and
//! chunks; those of times stay, because ffmpeg reckons the rates of frames from them. Every other box
//! stays as it is, and so do all places in the file: a `free` box takes the room that is left.

use super::super::MAX_READ;
use super::super::abridge::{KEPT, LARGEST, Patch, WORTH};
use super::super::window::{Fields, Go, Halt, Window};
use super::boxes::{Kind, Place, Table, children, handler, one, only};
use super::edit::{Edits, rescale};
use super::movie;
use super::scan::scale;
use crate::TICKS;

/// Units a second of the film's own time.
const CLOCK: u32 = TICKS as u32;

/// How much of a table is read at a time.
const BLOCK: u64 = 16 << 10;

/// The movie's box of a file cut down to [`KEPT`]. Unfit where it is small, has fragments, or is not
/// understood: an odd edit list, a table twice. Everything it needs is to stay in the window.
pub(in super::super) fn abridged(window: &Window) -> Go<Patch> {
    let movie = movie(&mut 0, window, Some(super::HOPS))?;
    let whole = movie.end - movie.at;
    if whole < WORTH {
        return Err(Halt::Unfit);
    }
    let parts = children(window, &movie)?;
    if parts.iter().any(|part| matches!(&part.kind, b"mvex" | b"cmov")) {
        return Err(Halt::Unfit);
    }
    let movie_scale = scale(only(&parts, b"mvhd")?.small(window)?)?;
    let tracks = parts.iter().filter(|part| &part.kind == b"trak");
    let tracks =
        tracks.map(|part| Track::read(window, part, movie_scale)).collect::<Go<Vec<_>>>()?;
    let latest = tracks.iter().map(|track| track.begins).max().ok_or(Halt::Unfit)?;
    let until = latest.checked_add(KEPT).ok_or(Halt::Unfit)?;
    let mut tracks = tracks.iter();
    let mut contents = Vec::new();
    for part in &parts {
        match tracks.as_slice().first() {
            Some(track) if track.place.at == part.at => {
                tracks.next();
                contents.extend(track.cut(window, until)?);
            }
            _ => contents.extend(part.copied(window)?),
        }
    }
    let mut bytes = atom(movie.kind, &contents)?;
    let rest = whole.checked_sub(bytes.len() as u64).ok_or(Halt::Unfit)?;
    let rest = u32::try_from(rest).ok().filter(|rest| *rest >= 8).ok_or(Halt::Unfit)?;
    bytes.extend([&rest.to_be_bytes()[..], b"free"].concat());
    if bytes.len() > LARGEST {
        return Err(Halt::Unfit);
    }
    Ok(Patch { offset: movie.at, bytes, until })
}

/// A track, of which some will stay.
struct Track {
    place: Place,
    video: bool,
    /// Units a second of its times.
    scale: u32,
    edits: Edits,
    /// Ticks before its first sample is shown.
    begins: u64,
}

impl Track {
    fn read(window: &Window, place: &Place, movie_scale: u32) -> Go<Self> {
        let parts = children(window, place)?;
        let media = children(window, only(&parts, b"mdia")?)?;
        let video = &handler(window, &media)? == b"vide";
        let scale = scale(only(&media, b"mdhd")?.small(window)?)?;
        let edits = Edits::of(window, &parts)?;
        let begins = rescale(edits.empty.unwrap_or(0), CLOCK, movie_scale)?.unsigned_abs();
        Ok(Self { place: *place, video, scale, edits, begins })
    }

    /// The track with all samples that are decoded before `until`, ticks of the film.
    fn cut(&self, window: &Window, until: u64) -> Go<Vec<u8>> {
        let from = self.edits.shown.map_or(0, |shown| shown.from);
        let until = rescale(until, self.scale, CLOCK)?.unsigned_abs();
        rewritten(window, &self.place, &Cut { video: self.video, until: from + until })
    }
}

/// Where a track is cut.
struct Cut {
    video: bool,
    /// What is decoded before is kept, units of the track.
    until: u64,
}

/// A box on the way to the sample tables, with those cut down.
fn rewritten(window: &Window, place: &Place, cut: &Cut) -> Go<Vec<u8>> {
    let parts = children(window, place)?;
    if &place.kind == b"stbl" {
        return samples(window, &parts, cut);
    }
    let mut contents = Vec::new();
    for part in &parts {
        match (&place.kind, &part.kind) {
            (b"trak", b"mdia") | (b"mdia", b"minf") | (b"minf", b"stbl") => {
                contents.extend(rewritten(window, part, cut)?);
            }
            _ => contents.extend(part.copied(window)?),
        }
    }
    atom(place.kind, &contents)
}

/// The sample tables with the chunks that hold what is kept.
fn samples(window: &Window, parts: &[Place], cut: &Cut) -> Go<Vec<u8>> {
    // Nobody compares sound with a plan, and sound is not reordered.
    if !cut.video && one(parts, b"ctts")?.is_some() {
        return Err(Halt::Unfit);
    }
    let table = |kind, entry| Table::read(only(parts, kind)?, window, entry);
    let wanted = decoded(window, &table(b"stts", 8)?, cut.until)?;
    let places = match one(parts, b"co64")? {
        Some(_) => table(b"co64", 8)?,
        None => table(b"stco", 4)?,
    };
    let kept = chunks(window, &table(b"stsc", 12)?, places.count, wanted)?;
    let mut contents = Vec::new();
    for part in parts {
        let (front, count, entry) = match &part.kind {
            b"stco" => (4, kept.chunks, 4),
            b"co64" => (4, kept.chunks, 8),
            b"stsc" => (4, kept.runs, 12),
            b"ctts" => (4, offsets(window, &Table::read(part, window, 8)?, kept.samples)?, 8),
            // Where all samples have one size there is no table.
            b"stsz" if part.length() > 12 => {
                let count = Fields(window.get(part.body + 8, 4, 0)?).u32()?;
                (8, u64::from(count).min(kept.samples).try_into().map_err(|_| Halt::Unfit)?, 4)
            }
            _ => {
                contents.extend(part.copied(window)?);
                continue;
            }
        };
        // What stands before the number of entries, that number, the entries.
        let entries = Table::of(part, front + 4, count, entry)?;
        let head = window.get(part.body, front, 0)?;
        let body = match u64::from(count) * u64::from(entry) {
            0 => &[],
            length => window.get(entries.at, length, 0)?,
        };
        contents.extend(atom(part.kind, &[head, &count.to_be_bytes(), body].concat())?);
    }
    atom(*b"stbl", &contents)
}

/// How many samples are decoded before `until`; all, where the times end before. Unfit where ffmpeg mends them.
fn decoded(window: &Window, times: &Table, until: u64) -> Go<u64> {
    let (mut now, mut samples) = (0u64, 0u64);
    let enough = each(window, times, |_, mut entry| {
        let (count, duration) = (entry.u32()?, entry.u32()?);
        if count == 0 || duration > i32::MAX as u32 {
            return Err(Halt::Unfit);
        }
        let (count, duration) = (u64::from(count), u64::from(duration));
        let left = until.saturating_sub(now).div_ceil(duration.max(1));
        let enough = duration > 0 && left <= count;
        samples = samples.saturating_add(if enough { left } else { count });
        now = now.saturating_add(count.saturating_mul(duration));
        Ok(enough)
    })?;
    // It goes on with the last one.
    Ok(if enough { samples } else { u64::MAX })
}

/// What stays of a track's chunks.
struct Kept {
    chunks: u32,
    /// Entries of the table of their lengths.
    runs: u32,
    /// Samples in them.
    samples: u64,
}

/// The first of `n_chunks` chunks that together hold `wanted` samples, or all.
fn chunks(window: &Window, runs: &Table, n_chunks: u32, wanted: u64) -> Go<Kept> {
    if wanted == 0 && n_chunks > 0 {
        return Err(Halt::Unfit);
    }
    let mut kept = Kept { chunks: 0, runs: 0, samples: 0 };
    let mut length = 0u64;
    // Takes chunks of `length` samples up to, and without, chunk `next`; says whether that is enough.
    let take = |kept: &mut Kept, length: u64, next: u32| {
        let there = u64::from(next.saturating_sub(kept.chunks + 1));
        let left = wanted.saturating_sub(kept.samples).div_ceil(length.max(1));
        let taken = left.min(there);
        kept.chunks += u32::try_from(taken).map_err(|_| Halt::Unfit)?;
        kept.samples += taken * length;
        Ok(left <= there)
    };
    let enough = each(window, runs, |nth, mut entry| {
        let (first, count) = (entry.u32()?, entry.u32()?);
        let sound = if nth == 0 { first == 1 } else { first > kept.chunks + 1 };
        if !sound || count == 0 || first > n_chunks {
            return Err(Halt::Unfit);
        }
        if nth > 0 && take(&mut kept, length, first)? {
            return Ok(true);
        }
        kept.runs = nth + 1;
        length = count.into();
        Ok(false)
    })?;
    if !enough && length > 0 {
        take(&mut kept, length, n_chunks.saturating_add(1))?;
    }
    Ok(kept)
}

/// How many entries of the table of offsets `samples` samples take.
fn offsets(window: &Window, table: &Table, samples: u64) -> Go<u32> {
    let (mut told, mut taken) = (0u64, 0);
    if samples > 0 {
        each(window, table, |nth, mut entry| {
            told += u64::from(entry.u32()?);
            taken = nth + 1;
            Ok(told >= samples)
        })?;
    }
    Ok(taken)
}

/// Goes through a table until `visit` has enough; whether it ever had.
fn each(
    window: &Window,
    table: &Table,
    mut visit: impl FnMut(u32, Fields<'_>) -> Go<bool>,
) -> Go<bool> {
    let entry = u64::from(table.entry);
    for nth in 0..table.count {
        let rest = u64::from(table.count - nth) * entry;
        let field = window.get(table.at + u64::from(nth) * entry, entry, rest.min(BLOCK))?;
        if visit(nth, Fields(field))? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Place {
    /// All of it, header and contents; unfit where one read cannot hold it.
    fn copied<'w>(&self, window: &'w Window) -> Go<&'w [u8]> {
        if self.end - self.at > MAX_READ {
            return Err(Halt::Unfit);
        }
        window.get(self.at, self.end - self.at, 0)
    }
}

fn atom(kind: Kind, contents: &[u8]) -> Go<Vec<u8>> {
    let size = u32::try_from(contents.len() + 8).map_err(|_| Halt::Unfit)?;
    Ok([&size.to_be_bytes(), &kind[..], contents].concat())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    /// A window with a table of words, and the table.
    fn table(words: &[u32], entry: u32) -> (Window, Table) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let mut window = Window::new(bytes.len() as u64);
        window.fill(0, &bytes);
        let count = u32::try_from(bytes.len()).unwrap() / entry;
        (window, Table { at: 0, count, entry })
    }

    #[test]
    fn samples_before_a_time() {
        let told = |words: &[u32], until| {
            let (window, times) = table(words, 8);
            decoded(&window, &times, until).ok()
        };
        // Ten of 100 units, then some of 7.
        let two = [10, 100, 1000, 7];
        let told_of_two = [1, 100, 101, 1000, 1001, 1007, 1008].map(|until| told(&two, until));
        expect!["[Some(1), Some(1), Some(2), Some(10), Some(11), Some(11), Some(12)]"]
            .assert_eq(&format!("{told_of_two:?}"));
        assert_eq!(told(&two, 8001), Some(u64::MAX), "ffmpeg goes on with the last one");
        assert_eq!(told(&[5, 0, 5, 10], 11), Some(7));
        assert_eq!(told(&[5, 10, 0, 10, 5, 10], 1000), None, "ffmpeg stays there");
        assert_eq!(told(&[5, 10, 1, 0xffff_fc00, 5, 10], 1000), None, "ffmpeg mends it");
    }

    #[test]
    fn chunks_that_hold_samples() {
        let told = |words: &[u32], n_chunks, wanted| {
            let (window, runs) = table(words, 12);
            let kept = chunks(&window, &runs, n_chunks, wanted).ok()?;
            Some((kept.chunks, kept.runs, kept.samples))
        };
        // Three chunks of 4, two of 1, all others of 10.
        let runs = [1, 4, 1, 4, 1, 1, 6, 10, 1];
        for (wanted, kept) in [
            (1, (1, 1, 4)),
            (4, (1, 1, 4)),
            (5, (2, 1, 8)),
            (12, (3, 1, 12)),
            (13, (4, 2, 13)),
            (14, (5, 2, 14)),
            (15, (6, 3, 24)),
            (64, (10, 3, 64)),
            (65, (10, 3, 64)),
            (u64::MAX, (10, 3, 64)),
        ] {
            assert_eq!(told(&runs, 10, wanted), Some(kept), "{wanted}");
        }
        assert_eq!(told(&[1, 4, 1], 1, 9), Some((1, 1, 4)), "one chunk");
        for (why, words) in [
            ("begins late", &[2, 4, 1][..]),
            ("a chunk of none", &[1, 0, 1]),
            ("does not rise", &[1, 4, 1, 1, 4, 1]),
            ("a run beyond the last chunk", &[1, 4, 1, 11, 4, 1]),
        ] {
            assert_eq!(told(words, 10, 100), None, "{why}");
        }
        assert_eq!(told(&runs, 10, 0), None, "chunks without samples");
    }

    #[test]
    fn offsets_of_samples() {
        let told = |samples| {
            let (window, table) = table(&[3, 0, 1, 512, 4, 0], 8);
            offsets(&window, &table, samples).unwrap()
        };
        assert_eq!([0, 1, 3, 4, 5, 8, 9].map(told), [0, 1, 1, 2, 3, 3, 3]);
    }
}
