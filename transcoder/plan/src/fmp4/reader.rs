//! From a pipe's bytes to an init segment and fragments.

use super::boxes::{Kind, header};
use super::{Error, Fragment, Init, MAX_DATA, MAX_TABLE};

/// What a stream consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Comes first, once.
    Init(Init),
    /// One GOP of video, or a run of sound.
    Fragment(Fragment),
}

/// Takes a stream in pieces of any size. After an error it must not be used again.
#[derive(Debug, Default)]
pub struct Reader {
    /// What has come of the box at hand, and of those after it.
    buffer: Vec<u8>,
    /// Bytes at the front of `buffer` that belong to the part at hand: ftyp before moov, moof before mdat.
    ready: usize,
    /// Where the moof's contents lie in `buffer`.
    moof: Option<(usize, usize)>,
    init: Option<Init>,
}

impl Reader {
    /// A reader at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes more bytes, gives the parts that they complete, in order.
    ///
    /// # Errors
    /// [`Error`]: not what was asked for; the encode is to be thrown away.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Part>, Error> {
        self.buffer.extend_from_slice(bytes);
        let mut parts = Vec::new();
        while let Some(part) = self.next_box()? {
            parts.extend(part);
        }
        Ok(parts)
    }

    /// The stream has ended.
    ///
    /// # Errors
    /// [`Error::Torn`] if it ended within a fragment (which then is absent), [`Error::Empty`].
    pub fn finish(self) -> Result<(), Error> {
        if !self.buffer.is_empty() {
            return Err(Error::Torn(self.buffer.len()));
        }
        self.init.map(|_| ()).ok_or(Error::Empty)
    }

    /// The outer `Option` is whether there was a whole box, the inner whether it completed a part.
    fn next_box(&mut self) -> Result<Option<Option<Part>>, Error> {
        let Some((kind, header, size)) =
            self.buffer.get(self.ready..).map(header).transpose()?.flatten()
        else {
            return Ok(None);
        };
        if size > limit(&kind) {
            return Err(Error::TooLarge);
        }
        let size = usize::try_from(size).map_err(|_| Error::TooLarge)?;
        let end = self.ready.checked_add(size).ok_or(Error::TooLarge)?;
        if end > self.buffer.len() {
            return Ok(None);
        }
        let body = (self.ready + header, end);
        match (&kind, self.moof) {
            (b"ftyp", None) if self.init.is_none() && self.ready == 0 => {
                self.ready = end;
                Ok(Some(None))
            }
            (b"moov", None) if self.init.is_none() => {
                let bytes = self.split(end);
                let init = Init::read(bytes.get(body.0..).unwrap_or_default(), bytes.clone())?;
                self.init = Some(init.clone());
                Ok(Some(Some(Part::Init(init))))
            }
            (b"moof", None) => {
                self.moof = Some(body);
                self.ready = end;
                Ok(Some(None))
            }
            (b"mdat", Some((from, to))) => {
                self.moof = None;
                let bytes = self.split(end);
                let moof = bytes.get(from..to).unwrap_or_default().to_vec();
                let init = self.init.as_ref().ok_or(Error::Structure("moov"))?;
                Ok(Some(Some(Part::Fragment(Fragment::read(&moof, bytes, init)?))))
            }
            (b"ftyp" | b"moov" | b"mdat", _) | (_, Some(_)) => Err(Error::Structure("moof")),
            // styp, sidx, prft, free, mfra: nothing that is needed.
            _ if self.ready == 0 => {
                self.split(end);
                Ok(Some(None))
            }
            _ => Err(Error::Structure("moov")),
        }
    }

    /// Cuts the part at hand off the buffer.
    fn split(&mut self, end: usize) -> Vec<u8> {
        self.ready = 0;
        let rest = self.buffer.split_off(end);
        std::mem::replace(&mut self.buffer, rest)
    }
}

fn limit(kind: &Kind) -> u64 {
    if kind == b"mdat" { MAX_DATA } else { MAX_TABLE }
}
