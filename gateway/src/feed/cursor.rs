//! A place in the order of all events, as clients keep it: text that means nothing to them.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::{Serialize, Serializer};

/// The first byte, for the day when a cursor says something else.
const VERSION: u8 = 1;

/// The last position that a client has heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor(pub(super) i64);

impl Cursor {
    /// Reads what [`Cursor::fmt`] wrote, and nothing else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (version, position) = bytes.split_first()?;
        let position = i64::from_be_bytes(position.try_into().ok()?);
        (*version == VERSION && position >= 0).then_some(Self(position))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [VERSION; 9];
        bytes[1..].copy_from_slice(&self.0.to_be_bytes());
        f.write_str(&BASE64URL_NOPAD.encode(&bytes))
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_text_is_read() {
        for position in [0, 1, 255, 1 << 40, i64::MAX] {
            assert_eq!(Cursor::read(&Cursor(position).to_string()), Some(Cursor(position)));
        }
        let negative = Cursor(-1).to_string();
        let later = BASE64URL_NOPAD.encode(&[2, 0, 0, 0, 0, 0, 0, 0, 1]);
        for text in ["", "x", "1", "AAAAAAAAAAAA", "AQAAAAAAAAAB=", "é", &negative, &later] {
            assert_eq!(Cursor::read(text), None, "{text}");
        }
    }
}
