//! What lies below a root, by the links of our own blocks.
use std::collections::HashSet;

use ipld_core::cid::Cid;

use super::dag;
use super::node::NodeError;
use super::store::Store;

/// Names many blocks in little memory: 16 bytes each of the hash, and the codec.
#[derive(Default)]
pub(super) struct Marks(HashSet<u128>);

impl Marks {
    /// Whether it is new.
    pub(super) fn insert(&mut self, cid: &Cid) -> bool {
        self.0.insert(mark(cid))
    }

    pub(super) fn remove(&mut self, cid: &Cid) {
        self.0.remove(&mark(cid));
    }

    pub(super) fn contains(&self, cid: &Cid) -> bool {
        self.0.contains(&mark(cid))
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(super) fn clear(&mut self) {
        self.0 = HashSet::new();
    }
}

fn mark(cid: &Cid) -> u128 {
    let digest = cid.hash().digest();
    let mut bytes = [0; 16];
    for (byte, of_digest) in bytes.iter_mut().zip(digest) {
        *byte = *of_digest;
    }
    u128::from_le_bytes(bytes) ^ u128::from(cid.codec())
}

/// Every block below `root` and itself, each once.
///
/// # Errors
/// [`NodeError::Absent`] where one is not here.
pub(super) fn whole(store: &Store, root: Cid) -> Result<HashSet<Cid>, NodeError> {
    let mut below = HashSet::from([root]);
    let mut open = vec![root];
    while let Some(cid) = open.pop() {
        if cid.codec() == dag::RAW {
            store.has(&cid)?.then_some(()).ok_or(NodeError::Absent(cid))?;
            continue;
        }
        let block = store.get(&cid)?.ok_or(NodeError::Absent(cid))?;
        open.extend(dag::links(&block)?.into_iter().filter(|link| below.insert(*link)));
    }
    Ok(below)
}

/// Marks what is below `root` and itself, as far as it can be read. Returns whether all of it could be:
/// below a block that is lost or damaged nobody knows what belongs to it.
///
/// # Errors
/// Where the disk fails. What is lost or damaged is told in the log.
pub(super) fn mark_all(store: &Store, root: Cid, marks: &mut Marks) -> Result<bool, NodeError> {
    let mut sound = true;
    let mut open = Vec::from_iter(marks.insert(&root).then_some(root));
    while let Some(cid) = open.pop() {
        if cid.codec() == dag::RAW {
            continue;
        }
        let links = match store.get(&cid) {
            Ok(Some(block)) => dag::links(&block).map_err(NodeError::from),
            Ok(None) => Err(NodeError::Absent(cid)),
            Err(error) if error.kind() != std::io::ErrorKind::InvalidData => {
                return Err(error.into());
            }
            Err(damaged) => Err(damaged.into()),
        };
        match links {
            Ok(links) => open.extend(links.into_iter().filter(|link| marks.insert(link))),
            Err(error) => {
                sound = false;
                tracing::error!(%root, %cid, %error, "a pinned tree is damaged");
            }
        }
    }
    Ok(sound)
}
