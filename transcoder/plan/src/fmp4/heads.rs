//! The samples of a stored segment from its moofs alone, read by ranges.

use super::boxes::header;
use super::fragment::samples;
use super::{Error, Init, MAX_TABLE, Sample};

/// What is read at first of a fragment: a moof of 250 frames is 3 kB.
const FIRST: u64 = 4096;

/// Longest header of a box.
const HEADER: u64 = 16;

/// A walk over the fragments of one stored segment: it says which bytes it wants, and the caller, who does
/// the reading, gives them.
#[derive(Debug)]
pub struct Heads<'a> {
    init: &'a Init,
    size: u64,
    /// Where the box at hand begins.
    at: u64,
    /// Bytes asked for, from `at` on.
    length: u64,
    samples: Vec<Sample>,
}

/// What [`Heads`] wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// Exactly these bytes of the segment.
    Bytes {
        /// From the segment's beginning.
        offset: u64,
        /// At least 1; the range ends within the segment.
        length: u64,
    },
    /// Nothing more: the samples in the order of decoding, their places counted from the segment's beginning.
    Done(Vec<Sample>),
}

impl<'a> Heads<'a> {
    /// For a segment of `size` bytes of the rendition with this init segment.
    pub fn new(init: &'a Init, size: u64) -> Self {
        Self { init, size, at: 0, length: FIRST.min(size), samples: Vec::new() }
    }

    /// What is wanted now.
    pub fn want(&mut self) -> Want {
        if self.at == self.size {
            return Want::Done(std::mem::take(&mut self.samples));
        }
        Want::Bytes { offset: self.at, length: self.length }
    }

    /// Takes the bytes that were wanted.
    ///
    /// # Errors
    /// [`Error`]: these are not a stored segment of ours.
    pub fn give(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() as u64 != self.length {
            return Err(Error::Short);
        }
        let (kind, front, size) = header(bytes)?.ok_or(Error::Short)?;
        if &kind != b"moof" {
            // styp, sidx: nothing that is needed. An mdat comes after its moof only.
            return if &kind == b"mdat" { Err(Error::Structure("mdat")) } else { self.skip(size) };
        }
        if size > MAX_TABLE {
            return Err(Error::TooLarge);
        }
        let whole = usize::try_from(size).map_err(|_| Error::TooLarge)?;
        let Some((_, data, data_size)) =
            bytes.get(whole..).map(header).transpose()?.flatten().filter(|_| whole <= bytes.len())
        else {
            return self.enlarge(size);
        };
        let moof = bytes.get(front..whole).ok_or(Error::Short)?;
        if bytes.get(whole + 4..whole + 8) != Some(b"mdat") || (data as u64) > data_size {
            return Err(Error::Structure("mdat"));
        }
        let fragment = size.checked_add(data_size).ok_or(Error::TooLarge)?;
        let end = usize::try_from(fragment).map_err(|_| Error::TooLarge)?;
        let before = usize::try_from(self.at).map_err(|_| Error::TooLarge)?;
        for mut sample in samples(moof, self.init, end)? {
            sample.offset = sample.offset.checked_add(before).ok_or(Error::TooLarge)?;
            self.samples.push(sample);
        }
        self.skip(fragment)
    }

    /// Goes on behind what is `size` bytes long.
    fn skip(&mut self, size: u64) -> Result<(), Error> {
        let at = self.at.checked_add(size).ok_or(Error::TooLarge)?;
        let rest = self.size.checked_sub(at).ok_or(Error::Short)?;
        (self.at, self.length) = (at, FIRST.min(rest));
        Ok(())
    }

    /// Wants the moof at hand, of `size` bytes, whole, and the header of its mdat.
    fn enlarge(&mut self, size: u64) -> Result<(), Error> {
        let rest = self.size - self.at;
        let wanted = size.saturating_add(HEADER).min(rest);
        if wanted <= self.length {
            return Err(Error::Short);
        }
        self.length = wanted;
        Ok(())
    }
}
