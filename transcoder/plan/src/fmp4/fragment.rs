//! One moof with its mdat: times and places of the samples in it.

use super::boxes::Cursor;
use super::init::{Defaults, Init};
use super::{Error, MAX_SAMPLES};

/// A movie fragment, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// moof and mdat as they came.
    pub bytes: Vec<u8>,
    /// Units a second of all times here.
    pub timescale: u32,
    /// Decode time of the first sample.
    pub tfdt: u64,
    /// Sum of the samples' durations.
    pub duration: u64,
    /// How many samples, at least 1.
    pub samples: u32,
    /// Presentation minus decode time of the first sample.
    pub first_cts: i64,
    /// Earliest presentation time.
    pub start: i64,
    /// Latest presentation time plus that sample's duration.
    pub end: i64,
    /// The first sample can be decoded alone.
    pub starts_with_sync: bool,
    /// Each sample, in the order of decoding.
    pub table: Vec<Sample>,
}

/// One sample of a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Where its data begins in the fragment's bytes.
    pub offset: usize,
    /// Length of its data.
    pub size: u32,
    /// In units of the timescale.
    pub duration: u32,
    /// Decode time.
    pub dts: u64,
    /// Presentation time.
    pub pts: i64,
    /// Not marked as depending on others.
    pub sync: bool,
}

impl Fragment {
    /// From the contents of a moof; `bytes` is moof and mdat as a whole.
    pub(super) fn read(moof: &[u8], bytes: Vec<u8>, init: &Init) -> Result<Self, Error> {
        let table = samples(moof, init, bytes.len())?;
        let first = *table.first().ok_or(Error::Structure("trun"))?;
        let last = table.last().unwrap_or(&first);
        let start = first.dts;
        let end = |sample: &Sample| sample.pts.saturating_add(sample.duration.into());
        Ok(Self {
            timescale: init.timescale,
            tfdt: start,
            duration: (last.dts - start).saturating_add(last.duration.into()),
            samples: u32::try_from(table.len()).map_err(|_| Error::TooLarge)?,
            first_cts: first.pts.saturating_sub(i64::try_from(start).map_err(|_| Error::TooLarge)?),
            start: table.iter().map(|sample| sample.pts).min().unwrap_or(first.pts),
            end: table.iter().max_by_key(|sample| sample.pts).map_or(first.pts, end),
            starts_with_sync: first.sync,
            table,
            bytes,
        })
    }

    /// A sample's data; empty if the table is not this fragment's.
    pub fn data(&self, sample: &Sample) -> &[u8] {
        let end = sample.offset.saturating_add(usize::try_from(sample.size).unwrap_or(usize::MAX));
        self.bytes.get(sample.offset..end).unwrap_or_default()
    }

    /// Gives the fragment another number in its mfhd: numbers rise through a rendition, while each encoder
    /// counts from 1. Leaves fragments alone whose moof does not begin with mfhd.
    pub fn renumber(&mut self, sequence: u32) {
        let is_mfhd = self.bytes.get(12..16).is_some_and(|kind| kind == b"mfhd");
        if let Some(field) = self.bytes.get_mut(20..24).filter(|_| is_mfhd) {
            field.copy_from_slice(&sequence.to_be_bytes());
        }
    }
}

/// The samples of a moof, whose contents these are, with their places from its first byte on: all of
/// them lie before `end`.
pub(super) fn samples(moof: &[u8], init: &Init, end: usize) -> Result<Vec<Sample>, Error> {
    let traf = Cursor::new(moof).only(b"traf", "traf")?;
    let defaults = tfhd(traf.only(b"tfhd", "tfhd")?, init.defaults)?;
    let mut tfdt = traf.only(b"tfdt", "tfdt")?;
    let (version, _) = tfdt.version_flags()?;
    let start = if version == 1 { tfdt.u64()? } else { tfdt.u32()?.into() };
    let mut table = Table { samples: Vec::new(), dts: start, offset: None };
    let mut children = traf;
    while let Some((kind, body)) = children.child()? {
        if &kind == b"trun" {
            table.run(body, defaults)?;
        }
    }
    let inside = |sample: &Sample| {
        usize::try_from(sample.size)
            .ok()
            .and_then(|size| sample.offset.checked_add(size))
            .is_some_and(|to| to <= end)
    };
    if table.samples.iter().all(inside) { Ok(table.samples) } else { Err(Error::Short) }
}

/// Values for samples that do not tell theirs. Data must be addressed from the moof, as CMAF wants.
fn tfhd(mut tfhd: Cursor<'_>, mut defaults: Defaults) -> Result<Defaults, Error> {
    let (_, flags) = tfhd.version_flags()?;
    tfhd.u32()?;
    if flags & 0x1 != 0 {
        return Err(Error::Structure("tfhd"));
    }
    if flags & 0x2 != 0 {
        tfhd.u32()?;
    }
    if flags & 0x8 != 0 {
        defaults.duration = tfhd.u32()?;
    }
    if flags & 0x10 != 0 {
        defaults.size = tfhd.u32()?;
    }
    if flags & 0x20 != 0 {
        defaults.flags = tfhd.u32()?;
    }
    Ok(defaults)
}

struct Table {
    samples: Vec<Sample>,
    dts: u64,
    offset: Option<usize>,
}

impl Table {
    fn run(&mut self, mut trun: Cursor<'_>, defaults: Defaults) -> Result<(), Error> {
        let (_, flags) = trun.version_flags()?;
        let count = trun.u32()?;
        let so_far = u32::try_from(self.samples.len()).unwrap_or(u32::MAX);
        if count.saturating_add(so_far) > MAX_SAMPLES {
            return Err(Error::TooLarge);
        }
        let has = |bit: u32| flags & bit != 0;
        let mut offset = match self.offset {
            _ if has(0x1) => usize::try_from(trun.u32()?).map_err(|_| Error::TooLarge)?,
            Some(offset) => offset,
            None => return Err(Error::Structure("trun")),
        };
        let first_flags = if has(0x4) { Some(trun.u32()?) } else { None };
        for number in 0..count {
            let duration = if has(0x100) { trun.u32()? } else { defaults.duration };
            let size = if has(0x200) { trun.u32()? } else { defaults.size };
            let own_flags = if has(0x400) { Some(trun.u32()?) } else { None };
            // Signed by version 1; encoders write small numbers, so version 0 reads the same.
            let cts = if has(0x800) { trun.u32()?.cast_signed() } else { 0 };
            let flags = own_flags.or(first_flags.filter(|_| number == 0)).unwrap_or(defaults.flags);
            let dts = i64::try_from(self.dts).map_err(|_| Error::TooLarge)?;
            self.samples.push(Sample {
                offset,
                size,
                duration,
                dts: self.dts,
                pts: dts.checked_add(cts.into()).ok_or(Error::TooLarge)?,
                sync: flags & 0x0001_0000 == 0,
            });
            self.dts = self.dts.checked_add(duration.into()).ok_or(Error::TooLarge)?;
            let size = usize::try_from(size).map_err(|_| Error::TooLarge)?;
            offset = offset.checked_add(size).ok_or(Error::TooLarge)?;
        }
        self.offset = Some(offset);
        Ok(())
    }
}
