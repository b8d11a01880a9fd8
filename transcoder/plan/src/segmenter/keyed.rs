//! What must come of one run of a keyed grid.

use crate::Mismatch;

/// One run of a keyed grid: whether it begins early enough, ends late enough, and has something in each segment.
#[derive(Debug)]
pub(super) struct Keyed {
    first: u32,
    /// Sequence of the first segment that is not its own; `None`: it ends with the film.
    pub(super) end: Option<u32>,
    /// Segment of the last fragment.
    pub(super) at: Option<u64>,
    /// Something came that is shown before the first segment.
    led: bool,
}

/// What is done with a fragment.
pub(super) enum Take {
    It,
    /// It is shown before the run.
    Nothing,
    Mismatch,
}

impl Keyed {
    pub(super) fn new(first: u32, end: Option<u32>) -> Self {
        Self { first, end, at: None, led: false }
    }

    /// Takes a fragment by the segment in whose time it begins.
    pub(super) fn push(&mut self, segment: u64) -> Take {
        let first = u64::from(self.first);
        if self.at.is_none() && segment < first {
            self.led = true;
            return Take::Nothing;
        }
        let follows = match self.at {
            None => segment == first && (self.led || first == 0),
            Some(at) => segment == at || segment == at + 1,
        };
        self.at = Some(segment);
        if follows && self.end.is_none_or(|end| segment < end.into()) {
            Take::It
        } else {
            Take::Mismatch
        }
    }

    /// # Errors
    /// [`Mismatch::TooFew`]: it broke off before its end.
    pub(super) fn finish(&self) -> Result<(), Mismatch> {
        let next = self.at.map_or(self.first.into(), |at| at + 1);
        match self.end {
            Some(want) if next < want.into() => {
                Err(Mismatch::TooFew { want, got: u32::try_from(next).unwrap_or(u32::MAX) })
            }
            None if self.at.is_none() => {
                Err(Mismatch::TooFew { want: self.first + 1, got: self.first })
            }
            _ => Ok(()),
        }
    }
}
