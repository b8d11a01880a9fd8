//! Boxes by their places in the file.

use super::super::window::{Fields, Go, Halt, Window};

/// A box type.
pub(super) type Kind = [u8; 4];

/// Most boxes in one.
const MAX_BOXES: usize = 256;

/// Where a box is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) kind: Kind,
    /// Its header.
    pub(super) at: u64,
    /// Its contents.
    pub(super) body: u64,
    /// The byte after it.
    pub(super) end: u64,
}

impl Place {
    /// Bytes of the contents.
    pub(super) fn length(&self) -> u64 {
        self.end - self.body
    }

    /// All contents of a box that is small by nature.
    pub(super) fn small<'w>(&self, window: &'w Window) -> Go<Fields<'w>> {
        if self.length() > 1024 {
            return Err(Halt::Unfit);
        }
        Ok(Fields(window.get(self.body, self.length(), super::AHEAD)?))
    }

    /// The first contents, at most `most` bytes.
    pub(super) fn front<'w>(&self, window: &'w Window, most: u64) -> Go<Fields<'w>> {
        Ok(Fields(window.get(self.body, self.length().min(most), super::AHEAD)?))
    }
}

/// The box at `at` within a parent (or file) that ends at `end`; `None` where the parent has no more. A rest
/// of less than a header is padding, as ffmpeg has it. A box that is cut short is unfit.
pub(super) fn header(window: &Window, at: u64, end: u64, ahead: u64) -> Go<Option<Place>> {
    let rest = end.saturating_sub(at);
    if rest < 8 {
        return Ok(None);
    }
    let mut fields = Fields(window.get(at, rest.min(16), ahead)?);
    let size = fields.u32()?;
    let kind = fields.take(4)?.try_into().map_err(|_| Halt::Unfit)?;
    let (front, size) = match size {
        0 => (8, rest),
        1 => (16, fields.u64()?),
        _ => (8, size.into()),
    };
    if size < front || size > rest {
        return Err(Halt::Unfit);
    }
    Ok(Some(Place { kind, at, body: at + front, end: at + size }))
}

/// The boxes in a box.
pub(super) fn children(window: &Window, parent: &Place) -> Go<Vec<Place>> {
    let (mut list, mut at) = (Vec::new(), parent.body);
    while let Some(place) = header(window, at, parent.end, super::AHEAD)? {
        if list.len() >= MAX_BOXES {
            return Err(Halt::Unfit);
        }
        at = place.end;
        list.push(place);
    }
    Ok(list)
}

/// The box of a kind, if there is one; unfit where there are more.
pub(super) fn one<'a>(parts: &'a [Place], kind: &Kind) -> Go<Option<&'a Place>> {
    let mut found = parts.iter().filter(|part| &part.kind == kind);
    match (found.next(), found.next()) {
        (found, None) => Ok(found),
        _ => Err(Halt::Unfit),
    }
}

/// The box of a kind, of which there must be one.
pub(super) fn only<'a>(parts: &'a [Place], kind: &Kind) -> Go<&'a Place> {
    one(parts, kind)?.ok_or(Halt::Unfit)
}

/// What kind of track it is whose media box holds `media`: `vide`, `soun`.
pub(super) fn handler(window: &Window, media: &[Place]) -> Go<Kind> {
    let mut handler = only(media, b"hdlr")?.front(window, 12)?;
    handler.take(8)?;
    handler.take(4)?.try_into().map_err(|_| Halt::Unfit)
}

/// A run of entries of the same length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    /// The first entry.
    pub(super) at: u64,
    /// Entries.
    pub(super) count: u32,
    /// Bytes of an entry.
    pub(super) entry: u32,
}

impl Table {
    /// Entries of `entry` bytes after version, flags and their count.
    pub(super) fn read(place: &Place, window: &Window, entry: u32) -> Go<Self> {
        let mut front = place.front(window, 8)?;
        front.u32()?;
        Self::of(place, 8, front.u32()?, entry)
    }

    /// `count` entries after `skip` bytes of contents; they must lie in the box.
    pub(super) fn of(place: &Place, skip: u64, count: u32, entry: u32) -> Go<Self> {
        if skip + u64::from(count) * u64::from(entry) > place.length() {
            return Err(Halt::Unfit);
        }
        Ok(Self { at: place.body + skip, count, entry })
    }

    /// The next entries after `done` of them, as many as one read may hold; empty at the end.
    pub(super) fn piece<'w>(&self, window: &'w Window, done: u32) -> Go<&'w [u8]> {
        let entry = u64::from(self.entry);
        let count =
            u64::from(self.count - done.min(self.count)).min(super::super::MAX_READ / entry);
        window.get(self.at + u64::from(done) * entry, count * entry, 0)
    }
}
