//! Walking through boxes and their fields.

use super::Error;

/// A box type.
pub(crate) type Kind = [u8; 4];

/// A slice that is read from its front; every read says when there is too little.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn take(&mut self, n: usize) -> Result<&'a [u8], Error> {
        let (front, rest) = self.rest.split_at_checked(n).ok_or(Error::Short)?;
        self.rest = rest;
        Ok(front)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (front, rest) = self.rest.split_first_chunk().ok_or(Error::Short)?;
        self.rest = rest;
        Ok(*front)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn kind(&mut self) -> Result<Kind, Error> {
        self.array()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Version and flags of a full box.
    pub(crate) fn version_flags(&mut self) -> Result<(u8, u32), Error> {
        let word = self.u32()?;
        Ok((u8::try_from(word >> 24).unwrap_or(0), word & 0x00ff_ffff))
    }

    /// The next child: its type and contents.
    pub(crate) fn child(&mut self) -> Result<Option<(Kind, Cursor<'a>)>, Error> {
        if self.is_empty() {
            return Ok(None);
        }
        let size = self.u32()?;
        let kind = self.kind()?;
        let body = match size {
            0 => self.rest.len(),
            1 => usize::try_from(self.u64()?.checked_sub(16).ok_or(Error::Short)?)
                .map_err(|_| Error::TooLarge)?,
            _ => usize::try_from(size.checked_sub(8).ok_or(Error::Short)?)
                .map_err(|_| Error::TooLarge)?,
        };
        Ok(Some((kind, Cursor::new(self.take(body)?))))
    }

    /// The one child of this type; none or several are an error that names it.
    pub(crate) fn only(mut self, kind: &Kind, name: &'static str) -> Result<Cursor<'a>, Error> {
        let mut only = None;
        while let Some((found, body)) = self.child()? {
            if &found == kind && only.replace(body).is_some() {
                return Err(Error::Structure(name));
            }
        }
        only.ok_or(Error::Structure(name))
    }
}

/// Type, header length and whole length of the box at the front of a stream; `None` until the header is there.
/// A size of 0 ("to the end") does not occur in what we read and is an error.
pub(crate) fn header(bytes: &[u8]) -> Result<Option<(Kind, usize, u64)>, Error> {
    let mut cursor = Cursor::new(bytes);
    let (Ok(size), Ok(kind)) = (cursor.u32(), cursor.kind()) else { return Ok(None) };
    match size {
        1 => match cursor.u64() {
            Ok(size) if size >= 16 => Ok(Some((kind, 16, size))),
            Ok(_) => Err(Error::Short),
            Err(_) => Ok(None),
        },
        0..8 => Err(Error::Short),
        _ => Ok(Some((kind, 8, size.into()))),
    }
}
