//! The actors: processes that wire the steps as the real ones do, and clients.

mod client;
mod follower;
mod gateway;
mod keeper;
mod shared;
mod worker;

use std::pin::Pin;
use std::sync::Arc;

use reelpin_gateway::Engines;
use reelpin_schema::ambient::Ambient;
use reelpin_schema::bucket::Bucket;
use reelpin_schema::db::Db;
use reelpin_schema::ipfs::Node;
use reelpin_schema::queue::Queue;

pub use follower::Follower;
pub use shared::Shared;

use crate::chance;
use crate::gate::{Actor, Gates};
use crate::model::{BucketModel, BucketStore, NodeModel, NodeStore, Publisher, QueueNet};
use crate::script::Wish;
use crate::turns::{InTurns, Violations};

/// What an actor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// A worker.
    Worker(usize),
    /// A gateway's feed.
    Gateway(usize),
    /// A gateway's relay.
    Relay(usize),
    /// A gateway's janitor.
    Janitor(usize),
    /// A gateway's search for uploads.
    Finder(usize),
    /// Takes tasks from workers that are gone.
    Sweeper(usize),
    /// A client at a gateway; it ends by itself.
    Client {
        /// What it does.
        wish: Wish,
        /// At which gateway.
        gateway: usize,
    },
}

impl Role {
    /// Whether it is begun anew when it died.
    pub fn is_process(&self) -> bool {
        !matches!(self, Self::Client { .. })
    }

    /// Whether another does the same.
    pub fn is_spare(&self) -> bool {
        match self {
            Self::Worker(number) | Self::Relay(number) | Self::Janitor(number) => *number > 0,
            Self::Finder(number) | Self::Sweeper(number) => *number > 0,
            Self::Gateway(_) | Self::Client { .. } => false,
        }
    }
}

/// What an actor is made of.
pub struct Env {
    /// Where its effects wait.
    pub gates: Gates,
    /// Its number.
    pub actor: Actor,
    /// Where its random bytes begin.
    pub seed: u64,
    /// The database, not yet in turns.
    pub db: Db,
    /// The bucket.
    pub bucket: Arc<BucketStore>,
    /// The IPFS node.
    pub node: Arc<NodeStore>,
    /// Messages under way.
    pub net: Arc<QueueNet>,
    /// What clients know.
    pub shared: Arc<Shared>,
    /// What was seen that must not be.
    pub violations: Violations,
    /// Whether presigned addresses take one PUT only.
    pub once: bool,
}

impl Env {
    fn ambient(&self) -> Ambient {
        chance::ambient(&self.gates, self.actor, self.seed)
    }

    fn engines(&self, queue: &Queue) -> Engines {
        let ambient = self.ambient();
        let turns = InTurns::new(self.gates.clone(), self.actor, Arc::clone(&self.violations));
        Engines {
            services: Default::default(),
            db: self.db.in_turns(Arc::new(turns), ambient.clone()),
            bucket: Bucket::over(Arc::new(BucketModel::new(
                Arc::clone(&self.bucket),
                self.gates.clone(),
                self.actor,
                self.once,
            ))),
            queue: queue.clone(),
            node: Some(Node::over(
                Arc::new(NodeModel::new(Arc::clone(&self.node), self.gates.clone(), self.actor)),
                "model",
            )),
            ambient,
            upload_once: self.once,
            own_node: true,
        }
    }

    fn queue(&self) -> Queue {
        let publisher = Publisher::new(Arc::clone(&self.net), self.gates.clone(), self.actor);
        Queue::over(Arc::new(publisher))
    }
}

/// An actor's life, and where messages reach it.
pub fn body(env: Env, role: &Role) -> (Pin<Box<dyn Future<Output = ()>>>, Queue) {
    let queue = env.queue();
    let engines = env.engines(&queue);
    let body: Pin<Box<dyn Future<Output = ()>>> = match role.clone() {
        Role::Worker(number) => Box::pin(worker::live(env, engines, number)),
        Role::Gateway(number) => Box::pin(gateway::live(env, engines, number)),
        Role::Relay(_) => Box::pin(keeper::relay(engines)),
        Role::Janitor(_) => Box::pin(keeper::janitor(env, engines)),
        Role::Finder(_) => Box::pin(keeper::finder(engines)),
        Role::Sweeper(_) => Box::pin(worker::sweep(env, engines)),
        Role::Client { wish, .. } => Box::pin(client::live(env, engines, wish)),
    };
    (body, queue)
}
