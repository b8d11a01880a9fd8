//! The embedded node: its blocks, its recursive pins, and the few things that we do with them.
use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use ipld_core::cid::Cid;
use rust_ipfs::builder::DefaultIpfsBuilder;
use rust_ipfs::p2p::PeerInfo;
use rust_ipfs::repo::PinStore as _;
use rust_ipfs::{Block, Ipfs, Keypair, PinMode};
use tokio::sync::RwLock;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::dag::{self, Malformed};
use super::roots::Roots;
use super::{Cause, IpfsError};
use crate::engines::{Network, folder, secret};

/// Kubo's swarm port, for a node that others should find again.
const PUBLIC_PORT: u16 = 4001;
/// How long an earlier node of this process may take to let go of the repository.
const REPO_FREE_WITHIN: Duration = Duration::from_secs(5);
const TRY_AGAIN: Duration = Duration::from_millis(50);
/// How long a node that is told to end may take.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// How long joining the public network may take before it is given up until the next start.
const BOOTSTRAP_WITHIN: Duration = Duration::from_secs(60);
/// How long the announcement of a root may take; the pin does not wait for it to succeed.
const ANNOUNCE_WITHIN: Duration = Duration::from_secs(10);

/// Why the node did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum NodeError {
    #[error("block was not found locally (offline): ipld: could not find {0}")]
    Absent(Cid),
    #[error("not pinned or pinned indirectly")]
    NotPinned,
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("cannot keep the pin's name: {0}")]
    Name(#[from] io::Error),
    #[error("the node failed: {0}")]
    Failed(#[source] Cause),
}

impl NodeError {
    fn failed(error: impl Into<Cause>) -> Self {
        Self::Failed(error.into())
    }
}

/// A handle to the node; clones are the same node.
#[derive(Clone)]
pub(in crate::engines) struct Node(Arc<Inner>);

struct Inner {
    ipfs: Ipfs,
    roots: Roots,
    network: Network,
    /// Puts and pins share it, the garbage collection has it alone: it must not see half a pin.
    collecting: RwLock<()>,
    tasks: TaskTracker,
}

/// How much the node stores.
pub(super) struct Stored {
    pub(super) blocks: u64,
    pub(super) bytes: u64,
}

impl Node {
    /// Opens (or makes) the node below `home`; its key is kept in the file `identity`.
    pub(super) async fn open(
        home: &Path,
        identity: &Path,
        network: Network,
    ) -> Result<Self, IpfsError> {
        let make = || Keypair::generate_ed25519().to_protobuf_encoding().map_err(io::Error::other);
        let key = secret::kept(identity, make).map_err(IpfsError::storage(identity))?;
        let key = Keypair::from_protobuf_encoding(&key)
            .map_err(|_| IpfsError::Identity { path: identity.to_owned() })?;
        let repo = home.join("repo");
        folder::make_private(&repo).map_err(IpfsError::storage(&repo))?;
        let names = home.join("pin-names");
        let roots = Roots::open(names.clone()).map_err(IpfsError::storage(&names))?;
        let ipfs = start(&key, &repo, network).await?;
        let node =
            Inner { ipfs, roots, network, collecting: RwLock::new(()), tasks: TaskTracker::new() };
        node.reconcile().await.map_err(|error| IpfsError::Start(error.into()))?;
        Ok(Self(Arc::new(node)))
    }

    /// Joins the public network; a private node has nothing to do here.
    pub(in crate::engines) async fn join(self) {
        if self.0.network == Network::Private {
            return;
        }
        let joining = async {
            self.0.ipfs.default_bootstrap().await?;
            self.0.ipfs.bootstrap().await
        };
        match tokio::time::timeout(BOOTSTRAP_WITHIN, joining).await {
            Ok(Ok(())) => tracing::info!("the IPFS node joined the public network"),
            Ok(Err(error)) => tracing::warn!(%error, "the IPFS node could not join the network"),
            Err(_) => tracing::warn!("the IPFS node did not join the network in time"),
        }
    }

    /// Closes the node; what it stores is on the disk already.
    pub(in crate::engines) async fn stop(self) {
        self.0.tasks.close();
        let stopping = async {
            self.0.tasks.wait().await;
            self.0.ipfs.clone().exit_daemon().await;
        };
        if tokio::time::timeout(STOP_WITHIN, stopping).await.is_err() {
            tracing::warn!("the IPFS node did not stop in time");
        }
    }

    /// Our peer id, key and addresses.
    pub(super) async fn identity(&self) -> Result<PeerInfo, NodeError> {
        self.0.ipfs.identity(None).await.map_err(NodeError::failed)
    }

    /// Stores a block; it is on the disk when this returns.
    pub(super) async fn put(&self, codec: u64, data: Bytes) -> Result<Cid, NodeError> {
        let block = dag::block(codec, data)?;
        let _shared = self.0.collecting.read().await;
        let announce = self.0.network == Network::Public;
        let put = self.0.ipfs.repo().put_block(&block).broadcast_on_new_block(announce);
        put.await.map_err(NodeError::failed)
    }

    /// A block of our own store; the network is never asked.
    pub(super) async fn block(&self, cid: &Cid) -> Result<Block, NodeError> {
        let found = self.0.ipfs.repo().get_block_now(cid).await.map_err(NodeError::failed)?;
        found.ok_or(NodeError::Absent(*cid))
    }

    /// Pins everything below `cid`, all of which must be here, under `name` (which replaces another).
    pub(super) async fn pin(&self, cid: Cid, name: &str) -> Result<(), NodeError> {
        let name = name.to_owned();
        self.whole(async move |node| {
            let _shared = node.collecting.read().await;
            node.pin(cid).await?;
            node.roots.set(cid, name).await?;
            node.announce(cid).await;
            Ok(())
        })
        .await
    }

    /// Removes a recursive pin. The gateway stops serving it first.
    pub(super) async fn unpin(&self, cid: Cid) -> Result<(), NodeError> {
        self.whole(async move |node| {
            let _shared = node.collecting.read().await;
            if node.roots.name(&cid).is_none() {
                return Err(NodeError::NotPinned);
            }
            node.roots.forget(cid).await?;
            node.remove_pin(&cid).await
        })
        .await
    }

    /// Removes every block that no pin holds; puts wait meanwhile.
    pub(super) async fn collect(&self) -> Result<Vec<Cid>, NodeError> {
        self.whole(async move |node| {
            let _alone = node.collecting.write().await;
            node.ipfs.gc().await.map_err(NodeError::failed)
        })
        .await
    }

    /// Does something to its end even if the caller goes away in between.
    async fn whole<T, F>(&self, work: impl FnOnce(Arc<Inner>) -> F) -> Result<T, NodeError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, NodeError>> + Send + 'static,
    {
        let working = self.0.tasks.spawn(work(Arc::clone(&self.0)));
        working.await.map_err(NodeError::failed)?
    }

    /// The recursive pins and their names.
    pub(super) fn roots(&self) -> &Roots {
        &self.0.roots
    }

    /// Counts blocks and bytes.
    pub(super) async fn stored(&self) -> Result<Stored, NodeError> {
        let repo = self.0.ipfs.repo();
        let blocks = repo.list_blocks().await.count().await as u64;
        let bytes = repo.get_total_size().await.map_err(NodeError::failed)? as u64;
        Ok(Stored { blocks, bytes })
    }
}

impl Inner {
    /// Looks whether everything is here and keeps the list. The node's own pinning would read every
    /// block of content as well, and panics on some links.
    async fn pin(&self, root: Cid) -> Result<(), NodeError> {
        let repo = self.ipfs.repo();
        let mut below = HashSet::from([root]);
        let mut open = vec![root];
        while let Some(cid) = open.pop() {
            if cid.codec() == dag::RAW {
                let here = repo.contains(cid).await.map_err(NodeError::failed)?;
                here.then_some(()).ok_or(NodeError::Absent(cid))?;
                continue;
            }
            let block = repo.get_block_now(cid).await.map_err(NodeError::failed)?;
            let block = block.ok_or(NodeError::Absent(cid))?;
            open.extend(dag::links(&block)?.into_iter().filter(|link| below.insert(*link)));
        }
        below.remove(&root);
        let below = stream::iter(below).map(Ok).boxed();
        repo.data_store().insert_recursive_pin(&root, below).await.map_err(NodeError::failed)
    }

    /// The store knows itself what it pinned.
    async fn remove_pin(&self, root: &Cid) -> Result<(), NodeError> {
        let store = self.ipfs.repo().data_store();
        store.remove_recursive_pin(root, stream::empty().boxed()).await.map_err(NodeError::failed)
    }

    /// Tells the public network of a published root, and of nothing else.
    async fn announce(&self, root: Cid) {
        if self.network == Network::Private || !self.roots.is_published(&root) {
            return;
        }
        match tokio::time::timeout(ANNOUNCE_WITHIN, self.ipfs.provide(root)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%root, %error, "root not announced"),
            Err(_) => tracing::warn!(%root, "root not announced in time"),
        }
    }

    /// Brings pins and names in line after a start: a name whose pin was lost in a power cut is
    /// pinned again or forgotten, a pin without a name is listed with the empty one.
    async fn reconcile(&self) -> Result<(), NodeError> {
        let mut pins = self.ipfs.list_pins(Some(PinMode::Recursive)).await;
        let mut pinned = HashSet::new();
        while let Some(pin) = pins.next().await {
            pinned.insert(pin.map_err(NodeError::failed)?.0);
        }
        for (cid, name) in self.roots.all() {
            if !pinned.contains(&cid)
                && let Err(error) = self.pin(cid).await
            {
                tracing::warn!(%cid, name, %error, "a pin is lost");
                self.roots.forget(cid).await?;
            }
        }
        for cid in pinned.into_iter().filter(|cid| self.roots.name(cid).is_none()) {
            self.roots.set(cid, String::new()).await?;
        }
        Ok(())
    }
}

async fn start(key: &Keypair, repo: &Path, network: Network) -> Result<Ipfs, IpfsError> {
    let deadline = Instant::now() + REPO_FREE_WITHIN;
    loop {
        let failed = match builder(key, repo, network)?.start().await {
            Ok(ipfs) => return Ok(ipfs),
            Err(error) => error,
        };
        // The data folder's lock is ours, so that it can only be our own earlier node that ends.
        let held = failed.chain().any(|cause| cause.is::<rust_ipfs::repo::LockError>());
        if !held || Instant::now() > deadline {
            return Err(IpfsError::Start(failed.into()));
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}

fn builder(key: &Keypair, repo: &Path, network: Network) -> Result<DefaultIpfsBuilder, IpfsError> {
    let start = |error: io::Error| IpfsError::Start(error.into());
    let builder = DefaultIpfsBuilder::with_keypair(key)
        .map_err(start)?
        .with_identify(Default::default())
        .with_bitswap()
        .with_ping(Default::default())
        .enable_tcp()
        .set_path(repo);
    let addresses = match network {
        Network::Private => vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        Network::Public => {
            ["/ip4/0.0.0.0", "/ip6/::"].map(|ip| format!("{ip}/tcp/{PUBLIC_PORT}")).to_vec()
        }
    };
    let mut builder = match network {
        Network::Private => builder,
        Network::Public => builder.with_kademlia().enable_dns(),
    };
    for address in addresses {
        let address = address.parse().map_err(|e| start(io::Error::other(e)))?;
        builder = builder.add_listening_addr(address);
    }
    Ok(builder)
}
