//! Fragmented MP4 (ISO 14496-12): a reader for streams as they come from a pipe, one for the tables alone of
//! what is stored, and a writer for fragments.
//!
//! The bytes come from an encoder that a stranger's file may have subverted: no size is trusted, nothing is
//! indexed without a look, and what is held is bounded.

pub(crate) mod boxes;
mod fragment;
mod heads;
mod init;
mod reader;
pub(crate) mod write;

pub use fragment::{Fragment, Sample};
pub use heads::{Heads, Want};
pub use init::Init;
pub use reader::{Part, Reader};
pub use write::fragment;

/// Largest fragment's data: 256 MiB, some hundred times a usual GOP.
pub const MAX_DATA: u64 = 256 << 20;

/// Largest box that is parsed (moov, moof): 16 MiB.
pub const MAX_TABLE: u64 = 16 << 20;

/// Most samples in one fragment.
pub const MAX_SAMPLES: u32 = 1 << 20;

/// The bytes are not the fragmented MP4 that was asked for: ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A box ends within its own header, its parent or a table.
    #[error("a box is cut short")]
    Short,
    /// Larger than [`MAX_DATA`] or [`MAX_TABLE`], or than numbers go.
    #[error("a box or table is larger than allowed")]
    TooLarge,
    /// A box that cannot be where it is, or without which nothing can be done.
    #[error("box {0:?} is missing, doubled or misplaced")]
    Structure(&'static str),
    /// Nothing at all came: where the encoder ended by itself with exit 0, the original holds no frame that can
    /// be decoded ([`crate::Refusal::NoFrames`]).
    #[error("the stream is empty")]
    Empty,
    /// The stream ended within a box or a fragment.
    #[error("the stream ended within a fragment, {0} bytes after the last whole one")]
    Torn(usize),
}
