//! A content id, its text, and a block of bytes with its id.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use bytes::Bytes;
use data_encoding::{Encoding, Specification};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Bytes of a binary id: version, codec, hash function and digest length take one each.
const LEN: usize = 36;
/// CIDv1.
const VERSION: u8 = 1;
/// sha2-256 and its 32 bytes, in the table of multicodecs.
const SHA2_256: [u8; 2] = [0x12, 32];
/// Characters of an id's text: `b` and 36 bytes, five bits a character.
const TEXT_LEN: usize = 59;

/// RFC 4648 base32 without padding, in lower case: multibase `b`.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    spec.encoding().expect("32 different ASCII symbols")
});

/// What a block's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// A piece of a file, as it is.
    Raw,
    /// A node with links: a file of several chunks, or a folder.
    DagPb,
}

impl Codec {
    /// The name by which an IPFS node's RPC knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::DagPb => "dag-pb",
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Raw => 0x55,
            Self::DagPb => 0x70,
        }
    }
}

/// A content id: CIDv1 of a raw or dag-pb block, hashed with sha2-256.
///
/// As text, and in JSON, it is base32 in lower case (`bafkrei..`, `bafybei..`). Ids are ordered as
/// their binary forms are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid {
    codec: Codec,
    digest: [u8; 32],
}

impl Cid {
    /// The id of a block with this sha-256.
    pub const fn new(codec: Codec, sha256: [u8; 32]) -> Self {
        Self { codec, digest: sha256 }
    }

    /// The id of a block with these bytes; hashes them.
    pub fn of(codec: Codec, bytes: &[u8]) -> Self {
        Self::new(codec, Sha256::digest(bytes).into())
    }

    /// What the block's bytes are.
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// The sha-256 of the block. It is that of a whole file only where the file is one raw block.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The binary form, as links between blocks hold it.
    pub fn to_bytes(self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[..4].copy_from_slice(&[VERSION, self.codec.code(), SHA2_256[0], SHA2_256[1]]);
        bytes[4..].copy_from_slice(&self.digest);
        bytes
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// [`CidError`] for anything that [`Cid::to_bytes`] does not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CidError> {
        let bytes: &[u8; LEN] =
            bytes.try_into().map_err(|_| CidError::Length { got: bytes.len(), want: LEN })?;
        let [version, codec, hash, length, digest @ ..] = bytes;
        if *version != VERSION {
            return Err(CidError::Version(*version));
        }
        let codec = match codec {
            0x55 => Codec::Raw,
            0x70 => Codec::DagPb,
            other => return Err(CidError::Codec(*other)),
        };
        if [*hash, *length] != SHA2_256 {
            return Err(CidError::Hash(*hash));
        }
        Ok(Self::new(codec, *digest))
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'b'; TEXT_LEN];
        BASE32.encode_mut(&self.to_bytes(), &mut text[1..]);
        f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Takes exactly the text that [`Cid`]'s `Display` writes: one content has one name.
impl FromStr for Cid {
    type Err = CidError;

    fn from_str(text: &str) -> Result<Self, CidError> {
        let digits = text.strip_prefix('b').ok_or(CidError::Multibase)?;
        if text.len() != TEXT_LEN {
            return Err(CidError::Length { got: text.len(), want: TEXT_LEN });
        }
        Self::from_bytes(&BASE32.decode(digits.as_bytes()).map_err(|_| CidError::Base32)?)
    }
}

impl Serialize for Cid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Cid;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a content id (CIDv1 in base32)")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Cid, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Why something is not a content id of ours. Whoever sent it is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CidError {
    /// Another base, or an id of version 0 (`Qm..`).
    #[error("a content id begins with b (base32)")]
    Multibase,
    /// Too short or too long.
    #[error("a content id of {got} bytes, not {want}")]
    Length {
        /// Bytes given.
        got: usize,
        /// Bytes that an id has, in this form.
        want: usize,
    },
    /// Characters beside a-z and 2-7, or bits after the last byte.
    #[error("not base32 in lower case")]
    Base32,
    /// Another version than 1.
    #[error("content id of version {0}, not 1")]
    Version(u8),
    /// Neither raw nor dag-pb.
    #[error("content id with codec {0:#x}, neither raw nor dag-pb")]
    Codec(u8),
    /// Another hash than sha2-256 of 32 bytes.
    #[error("content id with hash function {0:#x}, not sha2-256")]
    Hash(u8),
}

/// Bytes with their content id.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    cid: Cid,
    bytes: Bytes,
}

impl Block {
    /// Names these bytes; hashes them.
    pub fn new(codec: Codec, bytes: Bytes) -> Self {
        Self { cid: Cid::of(codec, &bytes), bytes }
    }

    /// The id.
    pub const fn cid(&self) -> Cid {
        self.cid
    }

    /// What it names.
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({}, {} bytes)", self.cid, self.bytes.len())
    }
}
