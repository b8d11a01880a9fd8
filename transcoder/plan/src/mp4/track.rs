//! One rendition on its way into a file.

use std::ops::Range;

use super::tables::Tables;
use crate::fmp4::boxes::Cursor;
use crate::fmp4::{Error, Init, Sample};

/// A rendition's samples, told segment by segment in order.
#[derive(Debug)]
pub struct Track {
    pub(super) kind: Kind,
    pub(super) timescale: u32,
    pub(super) tables: Tables,
    pub(super) chunks: Vec<Chunk>,
    segments: u32,
}

/// What an init segment says of its track, box by box.
#[derive(Debug)]
pub(super) struct Kind {
    /// The last 52 bytes of tkhd: layer, group, volume, matrix, width and height.
    pub(super) header: Vec<u8>,
    /// mdhd's language.
    pub(super) language: [u8; 2],
    /// hdlr, whole.
    pub(super) handler: Vec<u8>,
    /// What stands in minf before the tables: vmhd or smhd, dinf; whole boxes.
    pub(super) media: Vec<u8>,
    /// stsd, whole.
    pub(super) description: Vec<u8>,
}

/// Samples that lie together in the file: of one segment, and of one second.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) segment: u32,
    /// Decode time of the first sample.
    pub(super) dts: u64,
    pub(super) samples: u32,
    /// Where the samples' data lies in the segment.
    pub(super) ranges: Vec<Range<u32>>,
}

impl Chunk {
    pub(super) fn size(&self) -> u64 {
        self.ranges.iter().map(|range| u64::from(range.end - range.start)).sum()
    }
}

impl Track {
    /// For a rendition with this init segment.
    ///
    /// # Errors
    /// [`Error`]: it has not one track that can be described.
    pub fn new(init: &Init) -> Result<Self, Error> {
        let kind = Kind::read(&init.bytes)?;
        let tables = Tables::default();
        Ok(Self { kind, timescale: init.timescale, tables, chunks: Vec::new(), segments: 0 })
    }

    /// Takes the samples of the next segment in the order of decoding, their places counted from the segment's
    /// beginning, as [`crate::fmp4::Heads`] gives them.
    ///
    /// # Errors
    /// [`Error::TooLarge`]: places lie beyond 4 GiB, or times beyond what numbers hold.
    pub fn segment(&mut self, samples: &[Sample]) -> Result<(), Error> {
        let second = |dts: u64| dts / u64::from(self.timescale);
        let mut chunk: Option<Chunk> = None;
        for sample in samples {
            // Where frame lengths vary, a stretch can end with decode times beyond the next one's first. A file knows
            // only how long each sample lasts, so those are decoded at once; presentation times stay as they are.
            let dts = sample.dts.max(self.tables.decoded_at());
            let sample = &Sample { dts, ..*sample };
            self.tables.push(sample)?;
            let from = u32::try_from(sample.offset).map_err(|_| Error::TooLarge)?;
            let place = from..from.checked_add(sample.size).ok_or(Error::TooLarge)?;
            match &mut chunk {
                Some(chunk) if second(chunk.dts) == second(sample.dts) => {
                    chunk.samples += 1;
                    match chunk.ranges.last_mut() {
                        Some(last) if last.end == place.start => last.end = place.end,
                        _ => chunk.ranges.push(place),
                    }
                }
                _ => {
                    let (segment, dts) = (self.segments, sample.dts);
                    let next = Chunk { segment, dts, samples: 1, ranges: vec![place] };
                    self.chunks.extend(chunk.replace(next));
                }
            }
        }
        self.chunks.extend(chunk);
        self.segments += 1;
        Ok(())
    }
}

impl Kind {
    fn read(init: &[u8]) -> Result<Self, Error> {
        let moov = Cursor::new(init).only(b"moov", "moov")?;
        let trak = moov.only(b"trak", "trak")?;
        let mut tkhd = trak.only(b"tkhd", "tkhd")?;
        let (version, _) = tkhd.version_flags()?;
        tkhd.take(if version == 1 { 40 } else { 28 })?;
        let header = tkhd.take(52)?.to_vec();
        let mdia = trak.only(b"mdia", "mdia")?;
        let mut mdhd = mdia.only(b"mdhd", "mdhd")?;
        let (version, _) = mdhd.version_flags()?;
        mdhd.take(if version == 1 { 28 } else { 16 })?;
        let language = mdhd.u16()?.to_be_bytes();
        let handler = whole(mdia, |kind| kind == b"hdlr")?;
        let minf = mdia.only(b"minf", "minf")?;
        let media = whole(minf, |kind| kind != b"stbl")?;
        let description = whole(minf.only(b"stbl", "stbl")?, |kind| kind == b"stsd")?;
        Ok(Self { header, language, handler, media, description })
    }
}

/// The children of these types, headers and all, one after the other.
fn whole(mut parent: Cursor<'_>, wanted: impl Fn(&[u8; 4]) -> bool) -> Result<Vec<u8>, Error> {
    let mut boxes = Vec::new();
    while let Some((kind, body)) = parent.child()? {
        if wanted(&kind) {
            boxes.extend(crate::fmp4::write::joined(&kind, &[body.rest()]));
        }
    }
    Ok(boxes)
}
