//! Elements of EBML (RFC 8794) by their places in the file.

use super::super::window::{Go, Halt, Window};

/// Where an element is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element {
    pub(super) id: u32,
    /// Its contents.
    pub(super) body: u64,
    /// The byte after it, or after its parent if it is `open`.
    pub(super) end: u64,
    /// Its length is unknown: it was written live.
    pub(super) open: bool,
}

impl Element {
    /// The file itself: number 0.
    pub(super) fn file(size: u64) -> Self {
        Self { id: 0, body: 0, end: size, open: false }
    }

    /// Bytes of the contents.
    pub(super) fn length(&self) -> u64 {
        self.end - self.body
    }

    /// Whether its number takes four bytes, as those of all direct children of a segment do (and of no
    /// cluster's).
    pub(super) fn id_is_long(&self) -> bool {
        self.id >> 24 != 0
    }
}

/// The element at `at`, which is before the parent's end. One that is cut short is unfit.
pub(super) fn element(window: &Window, at: u64, parent: &Element, ahead: u64) -> Go<Element> {
    let rest = parent.end - at;
    let front = window.get(at, rest.min(12), ahead)?;
    let (id, n) = id(front).ok_or(Halt::Unfit)?;
    let size = front.get(n..).ok_or(Halt::Unfit)?;
    let open = unknown(size);
    let (length, m) = vint(size).ok_or(Halt::Unfit)?;
    let front = n as u64 + m as u64;
    let length = if open { rest.saturating_sub(front) } else { length };
    if front + length > rest {
        return Err(Halt::Unfit);
    }
    Ok(Element { id, body: at + front, end: at + front + length, open })
}

/// A number of 1 to 4 bytes with its marker, and its bytes.
pub(super) fn id(bytes: &[u8]) -> Option<(u32, usize)> {
    let n = usize::try_from(bytes.first()?.leading_zeros()).ok()? + 1;
    if n > 4 {
        return None;
    }
    let id = bytes.get(..n)?.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
    Some((id, n))
}

/// A number of 1 to 8 bytes without its marker, and its bytes.
pub(super) fn vint(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let n = usize::try_from(first.leading_zeros()).ok()? + 1;
    if n > 8 {
        return None;
    }
    let number = bytes.get(..n)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    Some((number & !(1 << (7 * n)), n))
}

/// Whether a length has all bits set: it is unknown.
fn unknown(bytes: &[u8]) -> bool {
    vint(bytes).is_some_and(|(number, n)| number == (1 << (7 * n)) - 1)
}
