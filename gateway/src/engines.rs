//! The engines that the gateway talks to, and what is known about them.

use reelpin_schema::ambient::Ambient;
use reelpin_schema::bucket::Bucket;
use reelpin_schema::db::Db;
use reelpin_schema::ipfs::Node;
use reelpin_schema::pinning::Services;
use reelpin_schema::queue::Queue;

/// What every step of the gateway works with. Clones share it.
#[derive(Clone)]
pub struct Engines {
    /// The database, migrated.
    pub db: Db,
    /// The bucket.
    pub bucket: Bucket,
    /// The queue.
    pub queue: Queue,
    /// The IPFS node; `None` when nothing is pinned.
    pub node: Option<Node>,
    /// The process's time and chance.
    pub ambient: Ambient,
    /// Whether the bucket honours a signed `If-None-Match: *` on a presigned PUT, as
    /// [`Bucket::honours_once`] finds out. When not, a finished upload is copied to a key that no
    /// client knows before it counts.
    pub upload_once: bool,
    /// Whether nobody else uses the node.
    pub own_node: bool,
    /// Services that keep what the node has.
    pub services: Services,
}
