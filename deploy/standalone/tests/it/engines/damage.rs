//! A block of a pinned tree goes bad on the disk.
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt as _;
use reelpin_schema::ipfs::{Limits, Node, PinName};

use super::rpc::endpoint;
use super::trustless::{MIB, blocks};
use super::{data, start_ipfs};

#[tokio::test]
async fn a_damaged_tree_keeps_its_sound_blocks_and_can_be_mended() {
    let data = data();
    let engines = start_ipfs(data.path()).await;
    let at = endpoint(&engines);
    let credentials = Some((at.rpc_user.as_str(), at.rpc_password.expose()));
    let node = Node::new(&at.rpc_url, credentials, Limits::default()).unwrap();
    let bytes: Vec<u8> = (0..3 * MIB).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let (file, blocks) = blocks(&bytes);
    node.put_blocks(blocks.clone()).await.unwrap();
    node.pin(file.cid, PinName::Original).await.unwrap();

    let root = kept(&data.path().join("ipfs/repo/blockstore"), &file.cid.to_string()).unwrap();
    std::fs::write(root, b"rot").unwrap();
    node.collect_garbage().await.unwrap();
    for block in blocks.iter().filter(|block| block.cid() != file.cid) {
        assert!(node.has_block(block.cid()).await.unwrap(), "{}", block.cid());
    }

    node.put_blocks(blocks).await.unwrap();
    node.pin(file.cid, PinName::Original).await.unwrap();
    node.collect_garbage().await.unwrap();
    let read: Vec<_> = node.cat(file.cid, 0, None).try_collect().await.unwrap();
    assert!(read.concat() == bytes);
    engines.stop().await;
}

/// The file below `folder` that holds a block.
fn kept(folder: &Path, cid: &str) -> Option<PathBuf> {
    std::fs::read_dir(folder).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => kept(&path, cid),
            false => path.file_stem().is_some_and(|name| name == cid).then_some(path),
        }
    })
}
