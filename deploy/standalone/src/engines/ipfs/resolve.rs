//! Finds a file or folder below a root, by name, in our own blocks alone.
use ipld_core::cid::Cid;
use rust_unixfs::MaybeResolved;

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
    let unreadable = ResolveError::Unreadable(parent);
    let block = node.block(&parent).await?;
    read.push(parent);
    let mut cache = None;
    let Ok(mut step) = rust_unixfs::resolve(block.data(), name, &mut cache) else {
        return Err(unreadable);
    };
    loop {
        match step {
            MaybeResolved::Found(cid) => return Ok(cid),
            MaybeResolved::NotFound => return Err(absent()),
            MaybeResolved::NeedToLoadMore(shards) => {
                let next = *shards.pending_links().0;
                let block = node.block(&next).await?;
                read.push(next);
                match shards.continue_walk(block.data(), &mut cache) {
                    Ok(further) => step = further,
                    Err(_) => return Err(unreadable),
                }
            }
        }
    }
}
