//! The sha-256 of a file and its content id, in one pass over its bytes.

use sha2::{Digest as _, Sha256};

use super::file::{File, FileDag};

/// What one pass over a file's bytes tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// sha-256 of the whole, in lower-case hex.
    pub sha256_hex: String,
    /// Its name in IPFS, its size and its weight there.
    pub file: File,
}

/// Takes a file's bytes; gives its [`Digest`]. The first mebibyte is hashed once, the rest twice:
/// a chunk's hash is not the file's.
#[derive(Default)]
pub struct Checksum {
    dag: FileDag,
    /// The whole file, from its second chunk on; until then the open chunk is the whole.
    whole: Option<Sha256>,
}

impl Checksum {
    /// A file without bytes so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// The digest of bytes that are all at hand.
    pub fn of(bytes: &[u8]) -> Digest {
        let mut checksum = Self::new();
        checksum.push(bytes);
        checksum.finish()
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let later = match self.whole {
            Some(_) => bytes,
            None => {
                let (now, later) = bytes.split_at(bytes.len().min(self.dag.room()));
                self.dag.push(now);
                later
            }
        };
        if !later.is_empty() {
            self.whole.get_or_insert_with(|| self.dag.open_chunk().clone()).update(later);
            self.dag.push(later);
        }
    }

    /// Bytes taken so far.
    pub fn size(&self) -> u64 {
        self.dag.size()
    }

    /// The digest of all bytes taken.
    pub fn finish(self) -> Digest {
        let file = self.dag.finish();
        let sha256 = match self.whole {
            Some(whole) => whole.finalize().into(),
            None => *file.cid.digest(),
        };
        Digest { sha256_hex: data_encoding::HEXLOWER.encode(&sha256), file }
    }
}
