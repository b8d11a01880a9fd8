//! The bytes at hand. Readers take from it as if the whole file were there, and are run again from where
//! they were when it turns out that others must be read first.

use super::MAX_READ;

/// Why a reader stops before its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// These bytes are needed first.
    Read { offset: u64, length: u64 },
    /// No index can be had.
    Unfit,
}

/// What readers give.
pub(super) type Go<T> = Result<T, Halt>;

/// The bytes of a file that were read last, or of several reads.
#[derive(Debug)]
pub(super) struct Window {
    /// Where they lie, and what they are: the last read at the end.
    parts: Vec<(u64, Vec<u8>)>,
    /// Of the file.
    size: u64,
}

impl Window {
    /// Nothing yet, of a file of `size` bytes.
    pub(super) fn new(size: u64) -> Self {
        Self { parts: Vec::new(), size }
    }

    /// The file's.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Takes other bytes, which lie at `offset`, for those at hand.
    pub(super) fn fill(&mut self, offset: u64, bytes: &[u8]) {
        let (_, mut held) = self.parts.pop().unwrap_or_default();
        held.clear();
        held.extend_from_slice(bytes);
        self.parts.clear();
        self.parts.push((offset, held));
    }

    /// Takes more bytes, which lie at `offset`; what is at hand stays.
    pub(super) fn keep(&mut self, offset: u64, bytes: &[u8]) {
        self.parts.push((offset, bytes.to_vec()));
    }

    /// `length` bytes from `at` on; where they must be read, `ahead` bytes are (if the file has them).
    pub(super) fn get(&self, at: u64, length: u64, ahead: u64) -> Go<&[u8]> {
        let end = at.checked_add(length).ok_or(Halt::Unfit)?;
        if end > self.size || length > MAX_READ {
            return Err(Halt::Unfit);
        }
        let held = self.parts.iter().rev().find_map(|(offset, bytes)| {
            let from = usize::try_from(at.checked_sub(*offset)?).ok()?;
            bytes.get(from..from.checked_add(usize::try_from(length).ok()?)?)
        });
        held.ok_or_else(|| Halt::Read {
            offset: at,
            length: length.max(ahead).min(MAX_READ).min(self.size - at),
        })
    }
}

/// The big-endian number of up to 8 bytes that a field is.
pub(super) fn number(field: &[u8]) -> u64 {
    field.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A slice that is read from its front; too little of it is unfit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, n: usize) -> Go<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(n).ok_or(Halt::Unfit)?;
        self.0 = rest;
        Ok(front)
    }

    fn array<const N: usize>(&mut self) -> Go<[u8; N]> {
        let (front, rest) = self.0.split_first_chunk().ok_or(Halt::Unfit)?;
        self.0 = rest;
        Ok(*front)
    }

    pub(super) fn u32(&mut self) -> Go<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Go<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Go<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// The next number if it is to be there, else `default`.
    pub(super) fn u32_if(&mut self, there: bool, default: u32) -> Go<u32> {
        if there { self.u32() } else { Ok(default) }
    }
}
