//! The index's boxes (ISO 14496-12, section 8).

use super::tables::{Run, Tables, Times};
use super::track::{Chunk, Kind};
use crate::TICKS;
use crate::fmp4::Error;
use crate::fmp4::write::{boxed, joined};

/// No rotation, no scale: fixed point 16.16, the last column 2.30.
const UNITY: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// 1.0 in fixed point 16.16: rates.
const ONE: u32 = 0x1_0000;

/// A track all of whose samples are known.
pub(super) struct Stream {
    pub(super) kind: Kind,
    pub(super) timescale: u32,
    pub(super) tables: Tables,
    pub(super) times: Times,
}

/// A chunk with its track's number, from 0.
pub(super) type Placed = (usize, Chunk);

/// A file's first bytes in the making.
pub(super) struct Head<'a> {
    pub(super) streams: &'a [Stream],
    /// In the order of the file.
    pub(super) chunks: &'a [Placed],
    /// Bytes of all samples.
    pub(super) data: u64,
    /// Where the samples begin in the file.
    pub(super) begin: u64,
    /// Places are told in 64 bits.
    pub(super) wide: bool,
}

impl Head<'_> {
    /// `ftyp`, then the index, then the header of the box of samples.
    pub(super) fn bytes(&self, ftyp: &[u8]) -> Result<Vec<u8>, Error> {
        let mut bytes = ftyp.to_vec();
        bytes.extend(self.moov()?);
        if self.wide {
            bytes.extend(1u32.to_be_bytes());
            bytes.extend(b"mdat");
            bytes.extend(self.data.saturating_add(16).to_be_bytes());
        } else {
            let size = u32::try_from(self.data + 8).map_err(|_| Error::TooLarge)?;
            bytes.extend(size.to_be_bytes());
            bytes.extend(b"mdat");
        }
        Ok(bytes)
    }

    fn moov(&self) -> Result<Vec<u8>, Error> {
        let mut tracks = Vec::new();
        let mut longest = 0;
        for (number, stream) in self.streams.iter().enumerate() {
            let times = &stream.times;
            let length = stream.movie(times.begins)? + stream.movie(times.shown)?;
            longest = length.max(longest);
            tracks.extend(self.trak(number, stream, length)?);
        }
        let next = u32::try_from(self.streams.len() + 1).map_err(|_| Error::TooLarge)?;
        let scale = u32::try_from(TICKS).map_err(|_| Error::TooLarge)?;
        let (version, times) = created(&[scale], longest);
        // Full volume, 8.8, then what is reserved; after the matrix six words that QuickTime used.
        let rest = [&[ONE, 0x0100_0000, 0, 0][..], &UNITY, &[0; 6], &[next]].concat();
        let mvhd = boxed(b"mvhd", &[&[version][..], &times, &rest].concat());
        Ok(joined(b"moov", &[&mvhd, &tracks]))
    }

    fn trak(&self, number: usize, stream: &Stream, length: u64) -> Result<Vec<u8>, Error> {
        let id = u32::try_from(number + 1).map_err(|_| Error::TooLarge)?;
        let (version, times) = created(&[id, 0], length);
        // Enabled, in the movie.
        let words = [&[version | 3][..], &times, &[0, 0]].concat();
        let words: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let tkhd = joined(b"tkhd", &[&words, &stream.kind.header]);
        let (version, times) = created(&[stream.timescale], stream.times.decoded);
        let [high, low] = stream.kind.language;
        let language = u32::from_be_bytes([high, low, 0, 0]);
        let mdhd = boxed(b"mdhd", &[&[version][..], &times, &[language]].concat());
        let stbl = joined(b"stbl", &[&stream.kind.description, &self.tables(number, stream)?]);
        let minf = joined(b"minf", &[&stream.kind.media, &stbl]);
        let mdia = joined(b"mdia", &[&mdhd, &stream.kind.handler, &minf]);
        Ok(joined(b"trak", &[&tkhd, &stream.edits()?, &mdia]))
    }

    fn tables(&self, number: usize, stream: &Stream) -> Result<Vec<u8>, Error> {
        let mut tables = runs(b"stts", &stream.times.durations)?;
        if !stream.times.offsets.is_empty() {
            tables.extend(runs(b"ctts", &stream.times.offsets)?);
        }
        let sizes = &stream.tables.sizes;
        let keys = &stream.tables.keys;
        if keys.len() < sizes.len() {
            tables.extend(boxed(b"stss", &[&[0, count(keys.len())?][..], keys].concat()));
        }
        let mut places = Vec::new();
        let mut filled: Vec<[u32; 3]> = Vec::new();
        let (mut at, mut nth) = (self.begin, 0u32);
        for (track, chunk) in self.chunks {
            if *track == number {
                nth += 1;
                let [high, low] = [(at >> 32) as u32, at as u32];
                if self.wide {
                    places.push(high);
                }
                places.push(low);
                if filled.last().is_none_or(|[_, samples, _]| *samples != chunk.samples) {
                    filled.push([nth, chunk.samples, 1]);
                }
            }
            at += chunk.size();
        }
        let filled = [&[0, count(filled.len())?][..], filled.as_flattened()].concat();
        tables.extend(boxed(b"stsc", &filled));
        tables.extend(boxed(b"stsz", &[&[0, 0, count(sizes.len())?][..], sizes].concat()));
        let kind = if self.wide { b"co64" } else { b"stco" };
        tables.extend(boxed(kind, &[&[0, nth][..], &places].concat()));
        Ok(tables)
    }
}

impl Stream {
    /// A time of this track in the movie's units, ticks.
    fn movie(&self, time: u64) -> Result<u64, Error> {
        let ticks = u128::from(time) * u128::from(TICKS) / u128::from(self.timescale.max(1));
        u64::try_from(ticks).map_err(|_| Error::TooLarge)
    }

    /// When the track begins to be shown, and where in it; nothing where both are its beginning.
    fn edits(&self) -> Result<Vec<u8>, Error> {
        let times = &self.times;
        if times.begins == 0 && times.entry == 0 {
            return Ok(Vec::new());
        }
        let narrow = |time: u64| u32::try_from(time).map_err(|_| Error::TooLarge);
        let mut entries = Vec::new();
        if times.begins > 0 {
            entries.push([narrow(self.movie(times.begins)?)?, u32::MAX, ONE]);
        }
        entries.push([narrow(self.movie(times.shown)?)?, narrow(times.entry)?, ONE]);
        let elst = [&[0, count(entries.len())?][..], entries.as_flattened()].concat();
        Ok(joined(b"edts", &[&boxed(b"elst", &elst)]))
    }
}

/// Version and words of the times that headers begin with: of the creation and the change, which are not told,
/// then `between`, then how long it lasts.
fn created(between: &[u32], lasts: u64) -> (u32, Vec<u32>) {
    match u32::try_from(lasts) {
        Ok(lasts) => (0, [&[0, 0][..], between, &[lasts]].concat()),
        Err(_) => {
            let lasts = [(lasts >> 32) as u32, lasts as u32];
            (1 << 24, [&[0; 4][..], between, &lasts].concat())
        }
    }
}

fn runs(kind: &[u8; 4], runs: &[Run<u32>]) -> Result<Vec<u8>, Error> {
    let mut words = vec![0, count(runs.len())?];
    words.extend(runs.iter().flat_map(|run| [run.count, run.value]));
    Ok(boxed(kind, &words))
}

fn count(entries: usize) -> Result<u32, Error> {
    u32::try_from(entries).map_err(|_| Error::TooLarge)
}
