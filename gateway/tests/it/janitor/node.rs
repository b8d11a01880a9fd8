//! An IPFS node that keeps pins in memory.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use reelpin_schema::cid::{Block, Cid, FileDag};
use reelpin_schema::ipfs::{Blocks, IpfsError, PinName};

/// Its pins. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Shelf(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    pins: BTreeSet<String>,
    collected: usize,
    fails: bool,
}

impl Shelf {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap()
    }

    /// The content id of these bytes.
    pub(super) fn cid(bytes: &[u8]) -> Cid {
        let mut dag = FileDag::new();
        dag.push(bytes);
        dag.finish().cid
    }

    pub(super) fn keep(&self, cid: Cid) {
        self.kept().pins.insert(cid.to_string());
    }

    pub(super) fn keeps(&self, cid: Cid) -> bool {
        self.kept().pins.contains(&cid.to_string())
    }

    /// How often its blocks were collected.
    pub(super) fn collected(&self) -> usize {
        self.kept().collected
    }

    /// Makes its answers get lost.
    pub(super) fn fail(&self, fails: bool) {
        self.kept().fails = fails;
    }

    fn answer<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> Result<T, IpfsError> {
        let mut kept = self.kept();
        if kept.fails {
            return Err(IpfsError::TimedOut { call: "/test", limit: Duration::ZERO });
        }
        Ok(act(&mut kept))
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
        self.answer(|kept| kept.pins.insert(root.to_string())).map(|_| ())
    }

    async fn is_pinned(&self, root: Cid) -> Result<bool, IpfsError> {
        self.answer(|kept| kept.pins.contains(&root.to_string()))
    }

    async fn unpin(&self, root: Cid) -> Result<(), IpfsError> {
        self.answer(|kept| kept.pins.remove(&root.to_string())).map(|_| ())
    }

    async fn collect_garbage(&self) -> Result<(), IpfsError> {
        self.answer(|kept| kept.collected += 1)
    }

    fn cat(&self, _: Cid, _: u64, _: Option<u64>) -> BoxStream<'static, Result<Bytes, IpfsError>> {
        stream::empty().boxed()
    }
}
