//! Finds a file or folder below a root, by name, in our own blocks alone.
use ipld_core::cid::Cid;
use reelpin_schema::cid::places;
use rust_unixfs::dir::{NodeDescription, describe};

use super::dag;
use super::node::{Node, NodeError};

/// Deeper paths than this are nobody's of ours.
const MAX_DEPTH: usize = 32;

/// Why a path leads nowhere.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    #[error("no link named {name:?} under {parent}")]
    NoSuchName { name: String, parent: Cid },
    #[error("the path is deeper than {MAX_DEPTH}")]
    TooDeep,
    #[error("the block {0} is no folder that can be read")]
    Unreadable(Cid),
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// How a path leads from a root to what it names.
pub(super) struct Resolved {
    /// The root, what each name stands for, and at last what the path names.
    pub(super) trail: Vec<Cid>,
    /// The blocks that had to be read, in that order: they prove the way. The last of `trail` is
    /// not among them.
    pub(super) read: Vec<Cid>,
}

/// Follows `path` from `root`. Empty names are skipped.
pub(super) async fn resolve(node: &Node, root: Cid, path: &str) -> Result<Resolved, ResolveError> {
    let mut trail = vec![root];
    let mut read = Vec::new();
    let mut parent = root;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        if trail.len() > MAX_DEPTH {
            return Err(ResolveError::TooDeep);
        }
        parent = child(node, parent, name, &mut read).await?;
        trail.push(parent);
    }
    Ok(Resolved { trail, read })
}

async fn child(
    node: &Node,
    parent: Cid,
    name: &str,
    read: &mut Vec<Cid>,
) -> Result<Cid, ResolveError> {
    let absent = || ResolveError::NoSuchName { name: name.to_owned(), parent };
    if parent.codec() != dag::DAG_PB {
        return Err(absent());
    }
    let mut shard = parent;
    for place in places(name) {
        read.push(shard);
        let block = node.block(&shard).await?;
        match step(block.data(), name, place) {
            Step::Found(cid) => return Ok(cid),
            Step::Below(next) => shard = next,
            Step::Absent => return Err(absent()),
            Step::Unreadable => return Err(ResolveError::Unreadable(shard)),
        }
    }
    Err(absent())
}

enum Step {
    Found(Cid),
    /// The name stands in this block of the folder, if anywhere.
    Below(Cid),
    Absent,
    Unreadable,
}

/// Looks a name up in one block of a folder, in which it stands at `place` if there are several.
fn step(block: &[u8], name: &str, place: u8) -> Step {
    let found = match describe(block) {
        NodeDescription::Directory { links } => {
            links.into_iter().find(|link| link.name == name).map(|link| Step::Found(link.target))
        }
        NodeDescription::HamtShard { links } => {
            let place = format!("{place:02X}");
            links.into_iter().find_map(|link| match link.name.strip_prefix(&*place)? {
                "" => Some(Step::Below(link.target)),
                other => (other == name).then_some(Step::Found(link.target)),
            })
        }
        NodeDescription::File { .. } => None,
        NodeDescription::Symlink | NodeDescription::Other => Some(Step::Unreadable),
    };
    found.unwrap_or(Step::Absent)
}
