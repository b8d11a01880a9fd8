//! What a reader asks for, one read at a time, and how much of it.

use super::window::{Go, Halt, Window};
use super::{MAX_BYTES, Step};

/// The reads of one file.
#[derive(Debug)]
pub(super) struct Reads {
    pub(super) window: Window,
    /// What was asked for last.
    asked: Option<(u64, u64)>,
    reads: u32,
    /// The most of them.
    most: u32,
    bytes: u64,
    /// Of them, those that stay at hand.
    kept: u64,
}

impl Reads {
    /// Of a file of `size` bytes, at most `most`.
    pub(super) fn new(size: u64, most: u32) -> Self {
        Self { window: Window::new(size), asked: None, reads: 0, most, bytes: 0, kept: 0 }
    }

    /// Where the bytes lie that were asked for, if these can be they.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Option<u64> {
        let (offset, length) = self.asked.take()?;
        (bytes.len() as u64 == length).then_some(offset)
    }

    /// Keeps what was asked for beside what is at hand, `most` bytes in all; `None`: it is something else, or too much.
    pub(super) fn keep(&mut self, bytes: &[u8], most: u64) -> Option<()> {
        let offset = self.take(bytes)?;
        self.kept += bytes.len() as u64;
        (self.kept <= most).then(|| self.window.keep(offset, bytes))
    }

    /// The next step of a reader that told this; the last one where it has read too much.
    pub(super) fn step<T>(&mut self, told: Go<T>) -> Step<T> {
        let (offset, length) = match told {
            Ok(found) => return Step::Done(Some(found)),
            Err(Halt::Unfit) => return Step::Done(None),
            Err(Halt::Read { offset, length }) => (offset, length),
        };
        self.reads += 1;
        self.bytes += length;
        if self.reads > self.most || self.bytes > MAX_BYTES {
            return Step::Done(None);
        }
        self.asked = Some((offset, length));
        Step::Read { offset, length }
    }
}
