//! Keeping content in a node, and letting it go.

use std::fmt;

use super::{IpfsError, Node};
use crate::cid::Cid;

/// What a pin is for; the node shows it to its operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PinName {
    /// A published folder: playlists, segments, MP4s, poster.
    Published,
    /// What somebody uploaded.
    Original,
}

impl PinName {
    /// As the node stores it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Original => "original",
        }
    }
}

impl fmt::Display for PinName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Node {
    /// Pins everything below `root`. Pinning again renames the pin.
    ///
    /// # Errors
    /// [`IpfsError::TimedOut`] also where blocks are missing: the node then looks for them in its
    /// network. Any other [`IpfsError`] of a call.
    pub async fn pin(&self, root: Cid, name: PinName) -> Result<(), IpfsError> {
        self.blocks.pin(root, name).await
    }

    /// Whether the node lists a recursive pin of `root`: the proof that it keeps the content.
    ///
    /// # Errors
    /// Any [`IpfsError`] of a call: then nothing is known.
    pub async fn is_pinned(&self, root: Cid) -> Result<bool, IpfsError> {
        self.blocks.is_pinned(root).await
    }

    /// Lets `root` go; its blocks leave at the node's next clean-up unless another pin holds them.
    /// A root that is not pinned is fine.
    ///
    /// # Errors
    /// Any [`IpfsError`] of a call.
    pub async fn unpin(&self, root: Cid) -> Result<(), IpfsError> {
        self.blocks.unpin(root).await
    }

    /// Removes every block that no pin holds, of whoever stored it: only for a node that is ours
    /// alone, and not while anyone stores what is to be pinned.
    ///
    /// # Errors
    /// Any [`IpfsError`] of a call.
    pub async fn collect_garbage(&self) -> Result<(), IpfsError> {
        self.blocks.collect_garbage().await
    }
}
