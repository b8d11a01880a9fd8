//! The embedded node: its blocks, its recursive pins, and the few things that we do with them.
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ipld_core::cid::Cid;
use reelpin_schema::ipfs::{ANSWER, PIN};
use rust_ipfs::p2p::PeerInfo;
use rust_ipfs::{Block, Ipfs, Keypair, Multiaddr, PeerId};
use tokio::sync::RwLock;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::IpfsError;
use super::dag::{self, Malformed};
use super::roots::{PUBLISHED, Roots};
use super::store::{Store, Stored};
use super::swarm::{self, Swarm};
use super::tree::{self, Marks};
use super::withdrawn::Withdrawn;
use super::{Cause, earlier};
use crate::engines::{Network, secret};

/// The folder of blocks in a repository of rust-ipfs.
const BLOCKS: &str = "blockstore";
/// The file that says that all published blocks are shared.
const COMPLETE: &str = "shared-complete";
/// How long a node that is told to end may take.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// How long the announcement of a root may take; the pin does not wait for it to succeed.
const ANNOUNCE_WITHIN: Duration = Duration::from_secs(10);
/// How long a dial may take: within the limit of whoever asks for it.
const CONNECT_WITHIN: Duration = Duration::from_secs(8);

/// Why the node did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum NodeError {
    #[error("block was not found locally (offline): ipld: could not find {0}")]
    Absent(Cid),
    #[error("not pinned or pinned indirectly")]
    NotPinned,
    #[error("it took longer than its caller waits")]
    Late,
    #[error("this node is private: it connects to nobody")]
    Private,
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("the node's disk failed: {0}")]
    Disk(#[from] io::Error),
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
    store: Store,
    roots: Roots,
    withdrawn: Withdrawn,
    swarm: Swarm,
    /// Puts and pins share it, the garbage collection has it alone: it must not see half a pin.
    collecting: RwLock<()>,
    tasks: TaskTracker,
}

impl Node {
    /// Opens (or makes) the node below `home`; its key is kept in the file `identity`.
    pub(super) async fn open(
        home: &Path,
        identity: &Path,
        swarm: Swarm,
    ) -> Result<Self, IpfsError> {
        let make = || Keypair::generate_ed25519().to_protobuf_encoding().map_err(io::Error::other);
        let key = secret::kept(identity, make).map_err(IpfsError::storage(identity))?;
        let key = Keypair::from_protobuf_encoding(&key)
            .map_err(|_| IpfsError::Identity { path: identity.to_owned() })?;
        let names = home.join("pin-names");
        let roots = Roots::open(names.clone()).map_err(IpfsError::storage(&names))?;
        earlier::take_over(home, &roots).await?;
        let shared = home.join("shared");
        let store = Store::open(home, shared.join(BLOCKS)).map_err(IpfsError::storage(home))?;
        let withdrawn = Withdrawn::open(home.join("withdrawn"));
        let ipfs = swarm::start(&key, &shared, &swarm).await?;
        let (collecting, tasks) = (RwLock::new(()), TaskTracker::new());
        let node = Inner { ipfs, store, roots, withdrawn, swarm, collecting, tasks };
        let node = Self(Arc::new(node));
        node.reconcile(&home.join(COMPLETE))
            .await
            .map_err(|error| IpfsError::Start(error.into()))?;
        Ok(node)
    }

    /// Joins the network that is named and announces what is published, now and as long as it runs.
    /// A private node has nothing to do here.
    pub(in crate::engines) async fn join(self) {
        if self.0.swarm.network == Network::Private {
            return;
        }
        swarm::join(&self.0.ipfs, &self.0.swarm).await;
        for (root, _) in self.0.roots.all().into_iter().filter(|(_, name)| name == PUBLISHED) {
            self.0.announce(root).await;
        }
    }

    /// Closes the node; what is pinned is on the disk already.
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

    /// Connects to a peer, as a public node does.
    pub(super) async fn connect(&self, peer: Multiaddr) -> Result<(), NodeError> {
        if self.0.swarm.network == Network::Private {
            return Err(NodeError::Private);
        }
        match tokio::time::timeout(CONNECT_WITHIN, self.0.ipfs.connect(peer)).await {
            Ok(connected) => connected.map(|_| ()).map_err(NodeError::failed),
            Err(_) => Err(NodeError::Late),
        }
    }

    /// Who is connected.
    pub(super) async fn peers(&self) -> Result<Vec<PeerId>, NodeError> {
        self.0.ipfs.connected().await.map_err(NodeError::failed)
    }

    /// Stores a block, unpinned: it is gone with the next start or collection.
    pub(super) async fn put(&self, codec: u64, data: Bytes) -> Result<Cid, NodeError> {
        let _shared = self.0.collecting.read().await;
        self.on_disk(move |node| {
            let block = dag::block(codec, data)?;
            node.store.put(&block)?;
            Ok(*block.cid())
        })
        .await
    }

    /// A block of our own store; the network is never asked.
    pub(super) async fn block(&self, cid: &Cid) -> Result<Block, NodeError> {
        let cid = *cid;
        self.on_disk(move |node| node.store.get(&cid)?.ok_or(NodeError::Absent(cid))).await
    }

    /// Pins everything below `cid`, all of which must be here, under `name` (which replaces another).
    /// All of it is on the disk when this returns. One that took longer than its caller waits is not
    /// recorded: an unpinning may have passed it meanwhile.
    pub(super) async fn pin(&self, cid: Cid, name: &str) -> Result<(), NodeError> {
        let (name, until) = (name.to_owned(), Instant::now() + PIN);
        self.whole(async move |node| {
            let _shared = node.0.collecting.read().await;
            in_time(until)?;
            let published = name == PUBLISHED;
            let was_published = node.roots().is_published(&cid);
            node.on_disk(move |node| node.keep(cid, published)).await?;
            if was_published && !published {
                node.on_disk(move |node| node.withdraw(cid)).await?;
            }
            in_time(until)?;
            node.roots().set(cid, name).await?;
            node.0.announce(cid).await;
            Ok(())
        })
        .await
    }

    /// Removes a recursive pin, unless that took longer than its caller waits: it may be wanted again. The
    /// gateway serves nothing of it any more; other nodes may fetch its blocks until the next collection.
    pub(super) async fn unpin(&self, cid: Cid) -> Result<(), NodeError> {
        let until = Instant::now() + ANSWER;
        self.whole(async move |node| {
            let _shared = node.0.collecting.read().await;
            in_time(until)?;
            let Some(name) = node.roots().name(&cid) else { return Err(NodeError::NotPinned) };
            let published = name == PUBLISHED;
            if published {
                node.on_disk(move |node| node.withdraw(cid)).await?;
            }
            if let Err(late) = in_time(until) {
                if published {
                    node.on_disk(move |node| node.keep(cid, true)).await?;
                }
                return Err(late);
            }
            Ok(node.roots().forget(cid).await?)
        })
        .await
    }

    /// Removes every block that no pin holds; puts and pins wait meanwhile.
    pub(super) async fn collect(&self) -> Result<Vec<Cid>, NodeError> {
        self.whole(async move |node| {
            let _alone = node.0.collecting.write().await;
            node.on_disk(|node| node.collect()).await
        })
        .await
    }

    /// Whether anybody may have this block: a published root reaches it. One that another root
    /// shares with a root that was unpinned is public again with the next collection.
    pub(super) async fn is_public(&self, cid: &Cid) -> Result<bool, NodeError> {
        let cid = *cid;
        // In this order: a collection removes from `shared` before it forgets what it hid.
        self.on_disk(move |node| Ok(!node.withdrawn.holds(&cid) && node.store.is_shared(&cid)?))
            .await
    }

    /// The recursive pins and their names.
    pub(super) fn roots(&self) -> &Roots {
        &self.0.roots
    }

    /// Counts blocks and bytes.
    pub(super) async fn stored(&self) -> Result<Stored, NodeError> {
        self.on_disk(|node| Ok(node.store.stored()?)).await
    }

    /// After a start: what is published is shared, and what is not is hidden.
    async fn reconcile(&self, complete: &Path) -> Result<(), NodeError> {
        if !complete.exists() {
            for (root, name) in self.roots().all() {
                let share = name == PUBLISHED;
                match self.on_disk(move |node| node.keep(root, share)).await {
                    Ok(()) => {}
                    // A full or failing disk: the next start goes on.
                    Err(NodeError::Disk(error)) if error.kind() != ErrorKind::InvalidData => {
                        return Err(error.into());
                    }
                    Err(error) => tracing::warn!(%root, name, %error, "a pinned tree is damaged"),
                }
            }
            secret::write_whole(complete, b"")?;
        }
        if self.0.withdrawn.is_left() {
            self.collect().await?;
        }
        Ok(())
    }

    /// Does something to its end even if the caller goes away in between.
    async fn whole<T, F>(&self, work: impl FnOnce(Self) -> F) -> Result<T, NodeError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, NodeError>> + Send + 'static,
    {
        let working = self.0.tasks.spawn(work(self.clone()));
        working.await.map_err(NodeError::failed)?
    }

    /// Does what may wait for the disk.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, NodeError> {
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&inner)).await.map_err(NodeError::failed)?
    }
}

fn in_time(until: Instant) -> Result<(), NodeError> {
    if Instant::now() < until { Ok(()) } else { Err(NodeError::Late) }
}

impl Inner {
    fn keep(&self, root: Cid, share: bool) -> Result<(), NodeError> {
        let tree = tree::whole(&self.store, root)?;
        self.store.keep(tree.iter(), share)?;
        if share {
            self.withdrawn.publish(tree.iter());
        }
        Ok(())
    }

    /// Hides what is below a root that is published no more.
    fn withdraw(&self, root: Cid) -> Result<(), NodeError> {
        let mut gone = Marks::default();
        tree::mark_all(&self.store, root, &mut gone)?;
        Ok(self.withdrawn.add(gone)?)
    }

    fn collect(&self) -> Result<Vec<Cid>, NodeError> {
        let (mut kept, mut shared) = (Marks::default(), Marks::default());
        let (mut all_kept, mut all_shared) = (true, true);
        for (root, name) in self.roots.all() {
            all_kept &= tree::mark_all(&self.store, root, &mut kept)?;
            if name == PUBLISHED {
                all_shared &= tree::mark_all(&self.store, root, &mut shared)?;
            }
        }
        // Of a damaged tree the sound blocks stay, so that it can be mended: then nothing is removed, nor
        // hidden but by the marks of what was withdrawn.
        let removed = self.store.sweep(
            |cid| !all_kept || kept.contains(cid),
            |cid| !all_shared || shared.contains(cid),
        )?;
        if all_shared {
            self.withdrawn.clear()?;
        }
        Ok(removed)
    }

    /// Tells the public network of a published root, and of nothing else.
    async fn announce(&self, root: Cid) {
        if self.swarm.network == Network::Private || !self.roots.is_published(&root) {
            return;
        }
        match tokio::time::timeout(ANNOUNCE_WITHIN, self.ipfs.provide(root)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%root, %error, "root not announced"),
            Err(_) => tracing::warn!(%root, "root not announced in time"),
        }
    }
}
