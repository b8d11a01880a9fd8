//! Faults that the simulator must find, to prove that it can. Behind the feature `planted`, which no
//! product has, and off until this thread asks for one.

use std::cell::Cell;

thread_local! {
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// A fault of the kinds that lose someone's video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A claim without fencing: statements of a worker do not ask for its token.
    Unfenced,
    /// An event's number is taken outside the transaction that stores the event.
    NumberOutside,
    /// The janitor also removes keys of open attempts.
    OpenKeys,
    /// A message is acknowledged and trusted: without one, nobody looks, and none comes twice.
    TrustedMessage,
    /// A pin is recorded before the node lists it.
    UnlistedPin,
}

impl Bug {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::Unfenced,
        Self::NumberOutside,
        Self::OpenKeys,
        Self::TrustedMessage,
        Self::UnlistedPin,
    ];

    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unfenced => "unfenced",
            Self::NumberOutside => "number-outside",
            Self::OpenKeys => "open-keys",
            Self::TrustedMessage => "trusted-message",
            Self::UnlistedPin => "unlisted-pin",
        }
    }
}

/// Whether this thread has this fault.
pub fn is(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// Gives this thread a fault, or none.
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}
