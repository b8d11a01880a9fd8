//! An IPFS node in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use reelpin_schema::cid::{Block, Cid, Codec};
use reelpin_schema::ipfs::{Blocks, IpfsError, PinName};

use crate::gate::{Actor, Effect, Gates, Verdict};

#[derive(Default)]
struct State {
    blocks: BTreeMap<String, (Cid, Bytes)>,
    pins: BTreeMap<String, (Cid, PinName)>,
}

impl State {
    /// What a root needs; `None` when a block of it is missing.
    fn reach(&self, root: Cid) -> Option<BTreeSet<String>> {
        let (mut reached, mut open) = (BTreeSet::new(), vec![root]);
        while let Some(cid) = open.pop() {
            let name = cid.to_string();
            let (_, bytes) = self.blocks.get(&name)?;
            if reached.insert(name) && cid.codec() == Codec::DagPb {
                open.extend(links(bytes));
            }
        }
        Some(reached)
    }

    fn collect(&mut self) {
        let pinned: Vec<Cid> = self.pins.values().map(|(cid, _)| *cid).collect();
        let kept: BTreeSet<String> =
            pinned.into_iter().filter_map(|cid| self.reach(cid)).flatten().collect();
        self.blocks.retain(|name, _| kept.contains(name));
    }
}

/// The links of a dag-pb node: field 2, whose field 1 is the id.
fn links(node: &[u8]) -> Vec<Cid> {
    let links = fields(node).into_iter().filter(|(number, _)| *number == 2);
    let ids = links.filter_map(|(_, link)| {
        let id = fields(link).into_iter().find(|(number, _)| *number == 1)?;
        Cid::from_bytes(id.1).ok()
    });
    ids.collect()
}

/// The length-delimited fields of a protobuf message, by number.
fn fields(mut message: &[u8]) -> Vec<(u64, &[u8])> {
    let mut found = Vec::new();
    while let Some((tag, rest)) = varint(message) {
        let Some((value, rest)) = varint(rest) else { break };
        message = rest;
        if tag & 7 == 2 {
            let length = usize::try_from(value).unwrap_or(usize::MAX);
            let Some((field, rest)) = message.split_at_checked(length) else { break };
            found.push((tag >> 3, field));
            message = rest;
        }
    }
    found
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = bytes.iter().take(10).position(|byte| byte & 0x80 == 0)? + 1;
    let (varint, rest) = bytes.split_at(length);
    let value = varint.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f));
    Some((value, rest))
}

/// What all models of a world share.
#[derive(Default)]
pub struct NodeStore {
    state: Mutex<State>,
}

impl NodeStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it lists a pin, all of whose blocks it has.
    pub fn lists(&self, cid: &Cid) -> bool {
        let state = self.state();
        state.pins.contains_key(&cid.to_string()) && state.reach(*cid).is_some()
    }

    /// Every pin.
    pub fn pins(&self) -> Vec<Cid> {
        self.state().pins.values().map(|(cid, _)| *cid).collect()
    }
}

/// The node as one actor reaches it.
pub struct NodeModel {
    store: Arc<NodeStore>,
    gates: Gates,
    actor: Actor,
}

fn silent(call: &'static str) -> IpfsError {
    IpfsError::TimedOut { call, limit: Duration::from_secs(120) }
}

impl NodeModel {
    /// For an actor.
    pub fn new(store: Arc<NodeStore>, gates: Gates, actor: Actor) -> Self {
        Self { store, gates, actor }
    }

    async fn call<T>(
        &self,
        call: &'static str,
        what: String,
        act: impl FnOnce(&mut State) -> Result<T, IpfsError> + Send + 'static,
    ) -> Result<T, IpfsError> {
        match self.gates.wait(self.actor, Effect::Node(call)).await {
            Verdict::Run => act(&mut self.store.state()),
            Verdict::Fail | Verdict::Conflict => {
                Err(IpfsError::Refused { message: "the model is out of order".to_owned() })
            }
            Verdict::Lost => {
                let _ = act(&mut self.store.state());
                Err(silent(call))
            }
            Verdict::Late => {
                let store = Arc::clone(&self.store);
                let land = Box::new(move || drop(act(&mut store.state())));
                self.gates.later(format!("{call} {what}"), land);
                Err(silent(call))
            }
        }
    }
}

#[async_trait]
impl Blocks for NodeModel {
    async fn version(&self) -> Result<String, IpfsError> {
        self.call("version", String::new(), |_| Ok("model".to_owned())).await
    }

    async fn has_block(&self, cid: Cid) -> Result<bool, IpfsError> {
        let name = cid.to_string();
        self.call("block/stat", name.clone(), move |state| Ok(state.blocks.contains_key(&name)))
            .await
    }

    async fn put_block(&self, block: &Block) -> Result<(), IpfsError> {
        let (cid, bytes) = (block.cid(), block.bytes().clone());
        self.call("block/put", cid.to_string(), move |state| {
            state.blocks.insert(cid.to_string(), (cid, bytes));
            Ok(())
        })
        .await
    }

    async fn pin(&self, root: Cid, name: PinName) -> Result<(), IpfsError> {
        self.call("pin/add", root.to_string(), move |state| match state.reach(root) {
            Some(_) => {
                state.pins.insert(root.to_string(), (root, name));
                Ok(())
            }
            // It asks its network, where nobody has it.
            None => Err(silent("pin/add")),
        })
        .await
    }

    async fn is_pinned(&self, root: Cid) -> Result<bool, IpfsError> {
        let name = root.to_string();
        self.call("pin/ls", name.clone(), move |state| Ok(state.pins.contains_key(&name))).await
    }

    async fn unpin(&self, root: Cid) -> Result<(), IpfsError> {
        let name = root.to_string();
        self.call("pin/rm", name.clone(), move |state| {
            state.pins.remove(&name);
            Ok(())
        })
        .await
    }

    async fn collect_garbage(&self) -> Result<(), IpfsError> {
        self.call("repo/gc", String::new(), |state| {
            state.collect();
            Ok(())
        })
        .await
    }

    fn cat(
        &self,
        _cid: Cid,
        _offset: u64,
        _length: Option<u64>,
    ) -> BoxStream<'static, Result<Bytes, IpfsError>> {
        Box::pin(stream::iter([Err(silent("cat"))]))
    }
}
