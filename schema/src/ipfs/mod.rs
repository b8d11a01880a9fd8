//! The client of an IPFS node: the part of Kubo's RPC that storing and pinning need.
//!
//! It speaks to Kubo or to the local node, which answers the same calls. We name content
//! ([`crate::cid`]) before a node sees it: blocks go there one by one and the node must answer with
//! our id, so no setting of a node can change a name. Every call has a time limit and may be
//! repeated after any error; nothing runs on after its future was dropped.
//!
//! To publish a folder: [`Node::put_file`] for each file, [`Node::put_blocks`] for the folder's own
//! blocks, [`Node::pin`] at once (blocks without a pin go at the node's next clean-up), and
//! [`Node::is_pinned`] as the proof.

mod answers;
mod error;
mod form;
mod peers;
mod pins;
mod put;
mod rpc;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

pub use self::error::IpfsError;
pub use self::pins::PinName;

use crate::cid::{Block, Cid};
use crate::settings;

/// How long a node may take to answer a question, or to let go of a pin: as long may a call whose
/// sender is gone be under way.
pub const ANSWER: Duration = Duration::from_secs(10);

/// How long a node may take to pin, and to collect its garbage.
pub const PIN: Duration = Duration::from_secs(120);

/// How long a node may take.
///
/// There is no limit for connecting apart: each call has a connection of its own and its limit
/// covers it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// To answer a question: version, a block's presence, a pin's, and removing a pin.
    pub answer: Duration,
    /// To take a block of at most 1 MiB, and to give the next piece of a file.
    pub transfer: Duration,
    /// To pin: it walks the whole tree, and on a node with missing blocks it asks the network.
    pub pin: Duration,
}

impl Default for Limits {
    /// [`ANSWER`], 30 s and [`PIN`]. Measured with 2 busy cores: 10 ms a block, 0.6 s to pin 500 of them.
    fn default() -> Self {
        Self { answer: ANSWER, transfer: Duration::from_secs(30), pin: PIN }
    }
}

/// The calls of a node, each an effect of its own, with a time limit of its own.
#[async_trait]
pub trait Blocks: Send + Sync {
    /// The node's program and version.
    async fn version(&self) -> Result<String, IpfsError>;

    /// Whether the node itself has this block.
    async fn has_block(&self, cid: Cid) -> Result<bool, IpfsError>;

    /// Stores one block, unpinned.
    async fn put_block(&self, block: &Block) -> Result<(), IpfsError>;

    /// Pins everything below `root`; pinning again renames the pin.
    async fn pin(&self, root: Cid, name: PinName) -> Result<(), IpfsError>;

    /// Whether the node lists a recursive pin of `root`.
    async fn is_pinned(&self, root: Cid) -> Result<bool, IpfsError>;

    /// Lets `root` go; one that is not pinned is fine.
    async fn unpin(&self, root: Cid) -> Result<(), IpfsError>;

    /// Removes every block that no pin holds.
    async fn collect_garbage(&self) -> Result<(), IpfsError>;

    /// The addresses at which the node can be dialled; none for one that knows of none.
    async fn addresses(&self) -> Result<Vec<String>, IpfsError> {
        Ok(Vec::new())
    }

    /// Connects to a peer; a node without a network does nothing.
    async fn connect(&self, peer: &str) -> Result<(), IpfsError> {
        let _ = peer;
        Ok(())
    }

    /// A file's bytes from `offset` on, at most `length` of them.
    fn cat(
        &self,
        cid: Cid,
        offset: u64,
        length: Option<u64>,
    ) -> BoxStream<'static, Result<Bytes, IpfsError>>;
}

/// An IPFS node. Cheap to clone.
#[derive(Clone)]
pub struct Node {
    blocks: Arc<dyn Blocks>,
    /// For people who debug; without credentials.
    name: Arc<str>,
}

impl Node {
    /// A node at `rpc_url`, `http://host:port` (a path is ignored); nothing is sent yet.
    /// `credentials` are a user and a secret for basic authentication.
    ///
    /// # Errors
    /// [`IpfsError::BadUrl`] for anything else than plain HTTP: a node's RPC is a private service.
    pub fn new(
        rpc_url: &str,
        credentials: Option<(&str, &str)>,
        limits: Limits,
    ) -> Result<Self, IpfsError> {
        Ok(Self::over(Arc::new(rpc::Rpc::new(rpc_url, credentials, limits)?), rpc_url))
    }

    /// The node that the settings name.
    ///
    /// # Errors
    /// As [`Node::new`].
    pub fn configured(ipfs: &settings::Ipfs, limits: Limits) -> Result<Self, IpfsError> {
        let credentials = ipfs.credentials.as_ref();
        let credentials = credentials.map(|(user, secret)| (user.as_str(), secret.expose()));
        Self::new(&ipfs.rpc, credentials, limits)
    }

    /// A node of another kind; `name` is for people who debug.
    pub fn over(blocks: Arc<dyn Blocks>, name: &str) -> Self {
        Self { blocks, name: name.into() }
    }

    /// The node's program and version: whether it is there.
    ///
    /// # Errors
    /// Any [`IpfsError`] of a call.
    pub async fn version(&self) -> Result<String, IpfsError> {
        self.blocks.version().await
    }

    /// A file's bytes from `offset` on, at most `length` of them, in pieces as they come; each may
    /// take [`Limits::transfer`].
    ///
    /// Count them: where a node loses a block half-way, what Kubo sends just ends. A node that
    /// lacks the first block asks its network for it until the limit ends that.
    pub fn cat(
        &self,
        cid: Cid,
        offset: u64,
        length: Option<u64>,
    ) -> BoxStream<'static, Result<Bytes, IpfsError>> {
        self.blocks.cat(cid, offset, length)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Node").field(&self.name).finish()
    }
}
