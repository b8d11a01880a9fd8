//! Folders of files that already have their names.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::hamt;
use super::id::{Block, Cid, Codec};
use super::pb::Node;

/// A folder's block may have this many bytes; a larger folder is sharded. Profile
/// `unixfs-v1-2025`, whose size estimate is the block itself (`block`, not `links`).
const MAX_BLOCK: usize = 256 << 10;
/// Longest name, in bytes: what file systems take, so that a folder can be fetched to one.
const MAX_NAME: usize = 255;
/// Longest path, in bytes; it also bounds how deep folders nest.
const MAX_PATH: usize = 1024;

/// A folder with everything below it that is not a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// The id of the folder.
    pub cid: Cid,
    /// Bytes of all blocks below it, those of the files included.
    pub dag_size: u64,
    /// Its own blocks and those of the folders in it, each after what it links to. The last one
    /// is the root.
    pub blocks: Vec<Block>,
}

impl Directory {
    /// Makes a folder of `(path, id, dag_size)` for each file; folders within it come from the
    /// paths' `/`. The order of entries does not matter. No entries make the empty folder.
    ///
    /// # Errors
    /// [`DirectoryError`] names the path that cannot be; it is the caller's fault.
    pub fn build<P: AsRef<str>>(
        entries: impl IntoIterator<Item = (P, Cid, u64)>,
    ) -> Result<Self, DirectoryError> {
        let mut root = Folder::default();
        for (path, cid, dag_size) in entries {
            root.insert(path.as_ref(), Link { cid, dag_size })?;
        }
        let mut blocks = Vec::new();
        let Link { cid, dag_size } = root.close(&mut |block| blocks.push(block))?;
        Ok(Self { cid, dag_size, blocks })
    }
}

/// Why a folder cannot be made of these entries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// A name within the path is empty, `.` or `..`, or has a NUL.
    #[error("{path:?} has a name that no folder can hold")]
    BadName {
        /// The whole path.
        path: String,
    },
    /// A name of more than 255 bytes, or a path of more than 1024.
    #[error("{path:?} is too long")]
    TooLong {
        /// The whole path.
        path: String,
    },
    /// The same path twice.
    #[error("{path:?} is there twice")]
    Duplicate {
        /// The whole path.
        path: String,
    },
    /// The path, or a part of it, would have to be a file and a folder.
    #[error("{path:?} meets a file and a folder of one name")]
    FileAndFolder {
        /// The whole path.
        path: String,
    },
    /// Two names with the same 64-bit hash in a sharded folder: names made to collide.
    #[error("{name:?} has the hash of another name in its folder")]
    SameHash {
        /// One of the two.
        name: String,
    },
}

/// What a folder says about an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) cid: Cid,
    pub(super) dag_size: u64,
}

enum Item {
    File(Link),
    Folder(Folder),
}

/// Entries by name, in the order of their bytes, which is that of dag-pb's links.
#[derive(Default)]
struct Folder {
    items: BTreeMap<String, Item>,
}

impl Folder {
    fn insert(&mut self, path: &str, link: Link) -> Result<(), DirectoryError> {
        if path.len() > MAX_PATH || path.split('/').any(|name| name.len() > MAX_NAME) {
            return Err(DirectoryError::TooLong { path: path.to_owned() });
        }
        if path.split('/').any(|name| matches!(name, "" | "." | "..") || name.contains('\0')) {
            return Err(DirectoryError::BadName { path: path.to_owned() });
        }
        let mut folder = self;
        let mut rest = path;
        while let Some((name, below)) = rest.split_once('/') {
            let item = folder.items.entry(name.to_owned());
            folder = match item.or_insert_with(|| Item::Folder(Self::default())) {
                Item::Folder(folder) => folder,
                Item::File(_) => {
                    return Err(DirectoryError::FileAndFolder { path: path.to_owned() });
                }
            };
            rest = below;
        }
        match folder.items.entry(rest.to_owned()) {
            Entry::Vacant(place) => {
                place.insert(Item::File(link));
                Ok(())
            }
            Entry::Occupied(there) => Err(match there.get() {
                Item::File(_) => DirectoryError::Duplicate { path: path.to_owned() },
                Item::Folder(_) => DirectoryError::FileAndFolder { path: path.to_owned() },
            }),
        }
    }

    fn close(self, sink: &mut dyn FnMut(Block)) -> Result<Link, DirectoryError> {
        let mut links = Vec::with_capacity(self.items.len());
        for (name, item) in self.items {
            let link = match item {
                Item::File(link) => link,
                Item::Folder(folder) => folder.close(sink)?,
            };
            links.push((name, link));
        }
        let mut node = Node::default();
        for (name, link) in &links {
            node.link(name, &link.cid, link.dag_size);
        }
        let bytes = node.into_directory();
        if bytes.len() > MAX_BLOCK {
            return hamt::sharded(links, sink);
        }
        let block = Block::new(Codec::DagPb, bytes.into());
        let below: u64 = links.iter().map(|(_, link)| link.dag_size).sum();
        let link = Link { cid: block.cid(), dag_size: below + block.bytes().len() as u64 };
        sink(block);
        Ok(link)
    }
}
