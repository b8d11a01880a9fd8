//! Keeping content in a node, and letting it go.

use std::fmt;

use ipfs_api_backend_hyper::Form;
use ipfs_api_prelude::{ApiRequest as _, Backend as _};

use super::requests::{PinAdd, PinList, PinListAnswer, PinRemove, PinsAnswer, RepoGc};
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
        let arg = root.to_string();
        let query = PinAdd { arg: &arg, recursive: true, progress: false, name: name.as_str() };
        let PinsAnswer { pins } = self.call(query, None, self.limits.pin).await?;
        match pins.iter().find(|pin| **pin != arg) {
            Some(other) => Err(IpfsError::wrong_cid(root, other)),
            None => Ok(()),
        }
    }

    /// Whether the node lists a recursive pin of `root`: the proof that it keeps the content.
    ///
    /// # Errors
    /// Any [`IpfsError`] of a call: then nothing is known.
    pub async fn is_pinned(&self, root: Cid) -> Result<bool, IpfsError> {
        let arg = root.to_string();
        let query = PinList { arg: &arg, kind: "recursive" };
        match self.call(query, None, self.limits.answer).await {
            Ok(PinListAnswer { keys }) => Ok(keys.contains_key(&arg)),
            Err(error) if error.says_not_pinned() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lets `root` go; its blocks leave at the node's next clean-up unless another pin holds them.
    /// A root that is not pinned is fine.
    ///
    /// # Errors
    /// Any [`IpfsError`] of a call.
    pub async fn unpin(&self, root: Cid) -> Result<(), IpfsError> {
        let query = PinRemove { arg: &root.to_string(), recursive: true };
        match self.call::<_, PinsAnswer>(query, None, self.limits.answer).await {
            Ok(_) => Ok(()),
            Err(error) if error.says_not_pinned() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes every block that no pin holds, of whoever stored it: only for a node that is ours
    /// alone, and not while anyone stores what is to be pinned.
    ///
    /// # Errors
    /// Any [`IpfsError`] of a call.
    pub async fn collect_garbage(&self) -> Result<(), IpfsError> {
        let limit = self.limits.pin;
        let collected = self.client.request_raw(RepoGc {}, None::<Form<'static>>);
        let (status, body) = tokio::time::timeout(limit, collected)
            .await
            .map_err(|_| IpfsError::TimedOut { call: RepoGc::PATH, limit })?
            .map_err(IpfsError::transport)?;
        match status.as_u16() {
            200 => Ok(()),
            status => Err(IpfsError::refusal(status, &body)),
        }
    }
}
