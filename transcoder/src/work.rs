//! What a worker works with.

use std::sync::Arc;

use bytes::Bytes;
use reelpin_plan::Options;
use reelpin_schema::ambient::Ambient;
use reelpin_schema::bucket::Bucket;
use reelpin_schema::db::Db;
use reelpin_schema::ipfs::Node;
use reelpin_schema::pin::{NewPin, Role};
use reelpin_schema::pinning::Services;
use reelpin_schema::queue::Queue;

use crate::confine::{ConfineError, WorkError};
use crate::encoder::Encoder;
use crate::error::TaskError;
use crate::shunned::Shunned;

/// The engines that a worker is given. Clones share them.
#[derive(Clone)]
pub struct Collaborators {
    /// The database.
    pub db: Db,
    /// The bucket.
    pub bucket: Bucket,
    /// The IPFS node; without one nothing is pinned.
    pub node: Option<Node>,
    /// Whether originals are pinned too.
    pub pin_original: bool,
    /// Services that fetch from the node what they are to keep.
    pub services: Services,
    /// Whether the node is ours alone, so that its unpinned blocks may be collected.
    pub own_node: bool,
    /// The queue.
    pub queue: Queue,
    /// Time and chance.
    pub ambient: Ambient,
}

/// A worker could not start.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// ffmpeg or the kernel.
    #[error(transparent)]
    Confine(#[from] ConfineError),
    /// The work folder.
    #[error(transparent)]
    Work(#[from] WorkError),
}

/// Everything that the steps of a task are given.
pub(crate) struct Work {
    pub(crate) engines: Collaborators,
    pub(crate) encoder: Arc<dyn Encoder>,
    pub(crate) options: Options,
    /// The worker's own, for people.
    pub(crate) name: String,
    /// What others may have first.
    pub(crate) shunned: Shunned,
}

impl Work {
    pub(crate) fn db(&self) -> &Db {
        &self.engines.db
    }

    pub(crate) fn bucket(&self) -> &Bucket {
        &self.engines.bucket
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.engines.queue
    }

    /// The pins to be made of a content: one at the node, and one at each service that is given what
    /// this role keeps.
    pub(crate) fn pins(&self, role: Role, cid: &str) -> Vec<NewPin> {
        let wanted = role == Role::Published || self.engines.pin_original;
        if self.engines.node.is_none() || !wanted {
            return Vec::new();
        }
        let mut pins = vec![NewPin::at_node(role, cid.to_owned())];
        pins.extend(self.engines.services.pins(role, cid));
        pins
    }

    /// The content id of bytes at hand.
    pub(crate) async fn hashed(&self, bytes: Bytes) -> Result<String, TaskError> {
        Ok(self.encoder.hash(bytes).await?.cid.to_string())
    }
}
