//! Reads files of one or many blocks: their size, and any range of their bytes as a stream.
use std::ops::Range;

use bytes::Bytes;
use futures_util::Stream;
use ipld_core::cid::Cid;
use rust_unixfs::dir::{DirLink, NodeDescription, describe};
use rust_unixfs::file::visit::{FileVisit, IdleFileVisit};

use super::dag;
use super::node::{Node, NodeError};

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("the block {0} is no part of a file that can be read")]
    Unreadable(Cid),
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// What a CID stands for.
pub(super) enum Kind {
    /// A file of so many bytes.
    File { size: u64 },
    /// A folder of one or many blocks.
    Folder,
}

/// Looks at the first block.
pub(super) async fn look(node: &Node, cid: Cid) -> Result<Kind, FileError> {
    let block = node.block(&cid).await?;
    if cid.codec() == dag::RAW {
        return Ok(Kind::File { size: block.data().len() as u64 });
    }
    match describe(block.data()) {
        NodeDescription::File { size } => Ok(Kind::File { size }),
        NodeDescription::Directory { .. } | NodeDescription::HamtShard { .. } => Ok(Kind::Folder),
        NodeDescription::Symlink | NodeDescription::Other => Err(FileError::Unreadable(cid)),
    }
}

/// What is in a folder, from all of its blocks, in no order.
pub(super) async fn list(node: &Node, folder: Cid) -> Result<Vec<DirLink>, FileError> {
    let mut names = Vec::new();
    let mut open = vec![folder];
    while let Some(cid) = open.pop() {
        match describe(node.block(&cid).await?.data()) {
            NodeDescription::Directory { links } => names.extend(links),
            NodeDescription::HamtShard { links } => {
                for link in links {
                    // Two digits, and the name unless it is a further block.
                    match link.name.split_at_checked(2) {
                        Some((_, "")) => open.push(link.target),
                        Some((_, name)) => names.push(DirLink { name: name.to_owned(), ..link }),
                        None => return Err(FileError::Unreadable(cid)),
                    }
                }
            }
            _ => return Err(FileError::Unreadable(cid)),
        }
    }
    Ok(names)
}

/// The bytes of `range`, block by block, each read when it is asked for.
pub(super) fn read(
    node: Node,
    cid: Cid,
    range: Range<u64>,
) -> impl Stream<Item = Result<Bytes, FileError>> + Send + 'static {
    let first = Some(Next::Start(cid, range));
    futures_util::stream::unfold((node, first), async |(node, next)| {
        let mut next = next?;
        loop {
            match step(&node, next).await {
                // Blocks that hold links alone give no bytes.
                Ok((bytes, Some(further))) if bytes.is_empty() => next = further,
                Ok((bytes, None)) if bytes.is_empty() => return None,
                Ok((bytes, further)) => return Some((Ok(bytes), (node, further))),
                Err(error) => return Some((Err(error), (node, None))),
            }
        }
    })
}

enum Next {
    Start(Cid, Range<u64>),
    Continue(FileVisit),
}

async fn step(node: &Node, next: Next) -> Result<(Bytes, Option<Next>), FileError> {
    let cid = match &next {
        Next::Start(cid, _) => *cid,
        Next::Continue(visit) => *visit.pending_links().0,
    };
    let block = node.block(&cid).await?;
    let data = block.inner_data();
    let (bytes, visit) = match next {
        Next::Start(_, range) => {
            let visit = IdleFileVisit::default().with_target_range(range);
            if cid.codec() == dag::RAW {
                (visit.start_from_raw(data).0, None)
            } else {
                let (bytes, _, _, visit) =
                    visit.start(data).map_err(|_| FileError::Unreadable(cid))?;
                (bytes, visit)
            }
        }
        Next::Continue(visit) => {
            visit.continue_walk(data, &mut None).map_err(|_| FileError::Unreadable(cid))?
        }
    };
    Ok((data.slice_ref(bytes), visit.map(Next::Continue)))
}
