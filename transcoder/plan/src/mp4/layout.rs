//! What lies where in a progressive MP4.

use std::ops::Range;

use super::moov::{Head, Placed, Stream};
use super::track::{Chunk, Track};
use crate::fmp4::Error;
use crate::fmp4::write::joined;

/// The brands of what we write: AVC in ISO base media files (ISO 14496-12, annex E).
const BRANDS: &[u8] = b"isom\x00\x00\x02\x00isomiso2avc1mp41";

/// Places of up to this many bytes of samples are told in 32 bits, whatever the head before them (which is
/// less than 256 MiB: of [`crate::limits::MAX_FRAMES`] frames, each takes at most 24 bytes, and sound takes little more than 4).
const NARROW: u64 = u32::MAX as u64 - (256 << 20);

/// A file, planned to the byte before any sample is read.
#[derive(Debug)]
pub struct Layout {
    head: Vec<u8>,
    size: u64,
    pieces: Vec<Piece>,
}

/// What is copied next behind the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Which of the tracks, from 0.
    pub track: usize,
    /// Its segment, from 0; never before an earlier piece's of the same track.
    pub segment: u32,
    /// Bytes of that segment, in this order.
    pub ranges: Vec<Range<u32>>,
}

impl Layout {
    /// For these tracks, whose samples are interleaved by the second.
    ///
    /// # Errors
    /// [`Error::Empty`] for a track without samples, [`Error::TooLarge`] beyond what tables can say.
    pub fn new(tracks: Vec<Track>) -> Result<Self, Error> {
        let (streams, chunks) = interleaved(tracks)?;
        let data: u64 = chunks.iter().map(|(_, chunk)| chunk.size()).sum();
        let ftyp = joined(b"ftyp", &[BRANDS]);
        let mut head =
            Head { streams: &streams, chunks: &chunks, data, begin: 0, wide: data > NARROW };
        // Places take as many bytes whatever they are, so a first head tells where they begin.
        head.begin = head.bytes(&ftyp)?.len() as u64;
        let first = head.bytes(&ftyp)?;
        let size = (first.len() as u64).checked_add(data).ok_or(Error::TooLarge)?;
        let pieces = chunks.into_iter().map(|(track, chunk)| Piece {
            track,
            segment: chunk.segment,
            ranges: chunk.ranges,
        });
        Ok(Self { head: first, size, pieces: pieces.collect() })
    }

    /// The first bytes: all but the samples.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What follows the head.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }
}

/// The tracks, and their chunks in the order of the file.
fn interleaved(tracks: Vec<Track>) -> Result<(Vec<Stream>, Vec<Placed>), Error> {
    let mut streams = Vec::with_capacity(tracks.len());
    let mut chunks = Vec::new();
    for (number, track) in tracks.into_iter().enumerate() {
        let times = track.tables.finish()?;
        let Track { kind, timescale, tables, chunks: own, .. } = track;
        chunks.extend(own.into_iter().map(|chunk| (second(&chunk, timescale), number, chunk)));
        streams.push(Stream { kind, timescale, tables, times });
    }
    chunks.sort_by_key(|(second, number, _)| (*second, *number));
    Ok((streams, chunks.into_iter().map(|(_, number, chunk)| (number, chunk)).collect()))
}

/// Which second of the film a chunk begins in.
pub(super) fn second(chunk: &Chunk, timescale: u32) -> u64 {
    chunk.dts / u64::from(timescale.max(1))
}
