//! An IPFS node that keeps pins in memory, and notes whom it was to connect to.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use reelpin_schema::cid::{Block, Cid};
use reelpin_schema::ipfs::{Blocks, IpfsError, PinName};

/// Where it says that it can be dialled.
pub(super) const ADDRESS: &str = "/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWNode";

/// The node. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Shelf {
    pins: Arc<Mutex<BTreeSet<String>>>,
    met: Arc<Mutex<BTreeSet<String>>>,
}

impl Shelf {
    pub(super) fn shared(&self) -> Arc<dyn Blocks> {
        Arc::new(self.clone())
    }

    /// Whom it was to connect to, each once.
    pub(super) fn met(&self) -> Vec<String> {
        self.met.lock().unwrap().iter().cloned().collect()
    }
}

#[async_trait::async_trait]
impl Blocks for Shelf {
    async fn version(&self) -> Result<String, IpfsError> {
        Ok("shelf".to_owned())
    }

    async fn has_block(&self, _: Cid) -> Result<bool, IpfsError> {
        Ok(true)
    }

    async fn put_block(&self, _: &Block) -> Result<(), IpfsError> {
        Ok(())
    }

    async fn pin(&self, root: Cid, _: PinName) -> Result<(), IpfsError> {
        self.pins.lock().unwrap().insert(root.to_string());
        Ok(())
    }

    async fn is_pinned(&self, root: Cid) -> Result<bool, IpfsError> {
        Ok(self.pins.lock().unwrap().contains(&root.to_string()))
    }

    async fn unpin(&self, root: Cid) -> Result<(), IpfsError> {
        self.pins.lock().unwrap().remove(&root.to_string());
        Ok(())
    }

    async fn collect_garbage(&self) -> Result<(), IpfsError> {
        Ok(())
    }

    async fn addresses(&self) -> Result<Vec<String>, IpfsError> {
        Ok(vec![ADDRESS.to_owned()])
    }

    async fn connect(&self, peer: &str) -> Result<(), IpfsError> {
        self.met.lock().unwrap().insert(peer.to_owned());
        Ok(())
    }

    fn cat(&self, _: Cid, _: u64, _: Option<u64>) -> BoxStream<'static, Result<Bytes, IpfsError>> {
        stream::empty().boxed()
    }
}
