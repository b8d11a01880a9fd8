//! Puts, pins, unpins and collections at once: what a node has said to be pinned is never lost.
use std::time::Duration;

use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use reelpin_schema::cid::{Checksum, Directory};
use reelpin_schema::ipfs::{IpfsError, Node, PinName};

use super::stand::Stand;
use super::{MIB, content};

/// Films that are published at once, and how often each.
const FILMS: u64 = 4;
const ROUNDS: u64 = 8;
/// Between two collections: some publishings need longer, so that both ways are taken.
const PAUSE: Duration = Duration::from_millis(60);

#[tokio::test]
async fn collections_lose_nothing_that_is_pinned() {
    let stand = Stand::local().await;
    let node = &stand.node;
    let collecting = async {
        loop {
            node.collect_garbage().await.unwrap();
            tokio::time::sleep(PAUSE).await;
        }
    };
    let publishing = join_all((0..FILMS).map(|film| publish(node, film)));
    let again = tokio::select! {
        again = publishing => again.into_iter().sum::<u64>(),
        () = collecting => 0,
    };
    println!("{again} of {} pins had to be made again", FILMS * ROUNDS);
}

/// Publishes and unpublishes folders, of which all share a file. Whoever is told that a block is
/// missing sends all again; whoever is told that it is pinned finds every byte. Returns how often a
/// pin had to be made again.
async fn publish(node: &Node, film: u64) -> u64 {
    let mut again = 0;
    for round in 0..ROUNDS {
        let own = 100 + film * ROUNDS + round;
        let folder = loop {
            let shared = node.put_file(content(MIB + 3, 99), None).await.unwrap();
            let file = node.put_file(content(MIB / 2, own), None).await.unwrap();
            let entries = [("a.mp4", file), ("b.mp4", shared)];
            let entries = entries.map(|(name, file)| (name, file.cid, file.dag_size));
            let folder = Directory::build(entries).unwrap();
            node.put_blocks(folder.blocks).await.unwrap();
            match node.pin(folder.cid, PinName::Published).await {
                Ok(()) => break (folder.cid, file, shared),
                Err(IpfsError::Refused { message }) => {
                    assert!(message.contains("could not find"), "{message}");
                    again += 1;
                }
                Err(other) => panic!("{other}"),
            }
            assert!(again < 1000, "collections leave no room for a pin");
        };
        let (root, file, shared) = folder;
        assert!(node.is_pinned(root).await.unwrap());
        for file in [file, shared] {
            let pieces: Vec<_> = node.cat(file.cid, 0, None).try_collect().await.unwrap();
            assert_eq!(Checksum::of(&pieces.concat()).file, file);
        }
        node.unpin(root).await.unwrap();
    }
    again
}
