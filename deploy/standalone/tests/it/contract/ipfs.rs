//! What Reelpin expects of its IPFS node, whatever stands behind it: the local one, or Kubo where
//! `REELPIN_TEST_IPFS_RPC` names one that is there for tests alone (its garbage is collected).
mod limits;
mod race;
mod speed;
mod stand;

use std::sync::LazyLock;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reelpin_schema::cid::{Block, Checksum, Cid, Codec, Directory, File};
use reelpin_schema::ipfs::{IpfsError, Node, PinName};

use self::stand::{SHORT, Stand};

const MIB: u64 = 1 << 20;

/// A test for each node: `$name` is a function over a [`Stand`].
macro_rules! on_each_node {
    ($($name:ident),+ $(,)?) => {
        mod local {
            $(#[tokio::test]
            async fn $name() { super::$name(&super::Stand::local().await).await; })+
        }
        mod kubo {
            $(#[tokio::test]
            async fn $name() {
                if let Some(stand) = super::Stand::kubo(stringify!($name)).await {
                    super::$name(&stand).await;
                }
            })+
        }
    };
}

on_each_node!(
    files_are_named_and_given_back,
    a_file_of_300_mebibytes_is_too,
    a_file_of_more_links_than_a_block_has_is_too,
    folders_of_many_names_can_be_walked,
    a_pin_is_listed_renamed_and_let_go,
    collection_spares_what_is_pinned,
    what_is_absent_is_told_within_the_limit,
);

/// The pieces of a file of `size` bytes: no two chunks are equal, and nothing is kept.
fn content(
    size: u64,
    seed: u64,
) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> {
    const PIECE: u64 = 300_000;
    stream::iter((0..size.div_ceil(PIECE)).map(move |piece| {
        let length = PIECE.min(size - piece * PIECE) as usize;
        let mut bytes = FILL[..length].to_vec();
        for (at, byte) in [seed.to_le_bytes(), piece.to_le_bytes()].concat().iter().enumerate() {
            if let Some(place) = bytes.get_mut(at) {
                *place = *byte;
            }
        }
        Ok(bytes.into())
    }))
}

/// Any bytes.
static FILL: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..300_000).map(|n| (n / 251 + n) as u8).collect());

/// What the file must be called.
async fn named(size: u64, seed: u64) -> File {
    let mut checksum = Checksum::new();
    let mut pieces = std::pin::pin!(content(size, seed));
    while let Some(piece) = pieces.next().await {
        checksum.push(&piece.unwrap());
    }
    checksum.finish().file
}

async fn read(node: &Node, cid: Cid, offset: u64, length: Option<u64>) -> Vec<u8> {
    node.cat(cid, offset, length).try_collect::<Vec<Bytes>>().await.unwrap().concat()
}

async fn there_and_back(stand: &Stand, size: u64) {
    let node = &stand.node;
    let expected = named(size, size).await;
    if let Some(theirs) = stand.hash_only(content(size, size)).await {
        assert_eq!(theirs, expected.cid.to_string(), "{size}");
    }
    let began = Instant::now();
    assert_eq!(node.put_file(content(size, size), Some(expected.cid)).await.unwrap(), expected);
    node.pin(expected.cid, PinName::Original).await.unwrap();
    println!("{size} bytes put and pinned in {:?}", began.elapsed());
    assert!(node.is_pinned(expected.cid).await.unwrap());
    let back = node.cat(expected.cid, 0, None);
    let back = back.try_fold(Checksum::new(), async |mut sum, piece: Bytes| {
        sum.push(&piece);
        Ok(sum)
    });
    assert_eq!(back.await.unwrap().finish().file, expected, "{size}");
    if size > 2 {
        let whole = tail(size, size, size - 3).await;
        assert_eq!(read(node, expected.cid, size - 3, None).await, whole);
        assert_eq!(read(node, expected.cid, size - 3, Some(2)).await, whole[..2]);
    }
    node.unpin(expected.cid).await.unwrap();
}

/// The bytes from `offset` on of the file that [`content`] makes.
async fn tail(size: u64, seed: u64, offset: u64) -> Vec<u8> {
    let mut at = 0;
    let mut tail = Vec::new();
    let mut pieces = std::pin::pin!(content(size, seed));
    while let Some(piece) = pieces.next().await {
        let piece = piece.unwrap();
        let skip = offset.saturating_sub(at).min(piece.len() as u64) as usize;
        tail.extend_from_slice(&piece[skip..]);
        at += piece.len() as u64;
    }
    tail
}

async fn files_are_named_and_given_back(stand: &Stand) {
    for size in [0, 1, MIB, MIB + 1] {
        there_and_back(stand, size).await;
    }
    let size = 3 * MIB;
    let expected = named(size, 1).await.cid;
    let other = stand.node.put_file(content(size, 2), Some(expected)).await;
    assert!(matches!(other, Err(IpfsError::WrongCid { .. })), "{other:?}");
}

async fn a_file_of_300_mebibytes_is_too(stand: &Stand) {
    there_and_back(stand, 300 * MIB).await;
}

async fn a_file_of_more_links_than_a_block_has_is_too(stand: &Stand) {
    there_and_back(stand, 1025 * MIB + 7).await;
}

async fn folders_of_many_names_can_be_walked(stand: &Stand) {
    let node = &stand.node;
    let leaf = node.put_file(content(900, 5), None).await.unwrap();
    let name = |n: u32| format!("{n:05}-{}.m4s", "long".repeat(25));
    let entries = (0..2500).map(|n| (format!("480p/{}", name(n)), leaf.cid, leaf.dag_size));
    let folder = Directory::build(entries).unwrap();
    assert!(folder.blocks.len() > 200, "spread over blocks");
    node.put_blocks(folder.blocks.clone()).await.unwrap();
    node.pin(folder.cid, PinName::Published).await.unwrap();
    assert!(node.is_pinned(folder.cid).await.unwrap());
    let bytes = read(node, leaf.cid, 0, None).await;
    for n in [0, 1234, 2499] {
        let path = format!("{}/480p/{}", folder.cid, name(n));
        assert_eq!(stand.call("cat", &[("arg", &path)]).await, (200, bytes.clone()));
    }
    let path = format!("{}/480p/{}", folder.cid, name(2500));
    assert_eq!(stand.call("cat", &[("arg", &path)]).await.0, 500);
    node.unpin(folder.cid).await.unwrap();
}

async fn a_pin_is_listed_renamed_and_let_go(stand: &Stand) {
    let node = &stand.node;
    let leaf = node.put_file(content(900, 6), None).await.unwrap();
    let folder = Directory::build([("a.m4s", leaf.cid, leaf.dag_size)]).unwrap();
    node.put_blocks(folder.blocks).await.unwrap();
    assert!(!node.is_pinned(folder.cid).await.unwrap());
    for name in [PinName::Published, PinName::Published, PinName::Original] {
        node.pin(folder.cid, name).await.unwrap();
        assert!(node.is_pinned(folder.cid).await.unwrap());
        let asked = [("names", "true"), ("type", "recursive")];
        let (status, listed) = stand.call("pin/ls", &asked).await;
        let listed: serde_json::Value = serde_json::from_slice(&listed).unwrap();
        assert_eq!(status, 200);
        assert_eq!(listed["Keys"][folder.cid.to_string()]["Name"], name.as_str());
    }
    assert!(!node.is_pinned(leaf.cid).await.unwrap(), "pinned only below another root");
    for _ in 0..2 {
        node.unpin(folder.cid).await.unwrap();
        assert!(!node.is_pinned(folder.cid).await.unwrap());
    }
}

async fn collection_spares_what_is_pinned(stand: &Stand) {
    let node = &stand.node;
    let put = async |seed| node.put_file(content(2 * MIB + 9, seed), None).await.unwrap();
    let (kept, freed, loose) = (put(7).await, put(8).await, put(9).await);
    let of = |file: File| Directory::build([("a.mp4", file.cid, file.dag_size)]).unwrap();
    let (kept_folder, freed_folder) = (of(kept), of(freed));
    node.put_blocks([&kept_folder.blocks[..], &freed_folder.blocks[..]].concat()).await.unwrap();
    node.pin(kept_folder.cid, PinName::Published).await.unwrap();
    node.pin(freed_folder.cid, PinName::Published).await.unwrap();
    // Also held by another pin: it stays.
    node.pin(loose.cid, PinName::Original).await.unwrap();
    node.unpin(freed_folder.cid).await.unwrap();
    node.collect_garbage().await.unwrap();
    for (cid, here) in [
        (kept_folder.cid, true),
        (kept.cid, true),
        (loose.cid, true),
        (freed_folder.cid, false),
        (freed.cid, false),
    ] {
        assert_eq!(node.has_block(cid).await.unwrap(), here, "{cid}");
    }
    assert_eq!(read(node, kept.cid, 0, None).await.len() as u64, kept.size);
    node.unpin(kept_folder.cid).await.unwrap();
    node.unpin(loose.cid).await.unwrap();
    node.collect_garbage().await.unwrap();
    assert!(!node.has_block(kept.cid).await.unwrap());
    assert!(!node.has_block(loose.cid).await.unwrap());
}

async fn what_is_absent_is_told_within_the_limit(stand: &Stand) {
    let node = &stand.impatient;
    let absent = Cid::of(Codec::DagPb, b"nobody has this");
    let began = Instant::now();
    assert!(!node.has_block(absent).await.unwrap());
    assert!(!node.is_pinned(absent).await.unwrap());
    node.unpin(absent).await.unwrap();
    // The same for a tree of which a part is missing.
    let leaf = named(MIB, 10).await;
    let folder = Directory::build([("a", leaf.cid, leaf.dag_size)]).unwrap();
    node.put_blocks(folder.blocks).await.unwrap();
    let mut errors = Vec::new();
    for cid in [absent, folder.cid] {
        errors.push(node.pin(cid, PinName::Published).await.unwrap_err());
        assert!(!node.is_pinned(cid).await.unwrap());
    }
    for cid in [absent, leaf.cid] {
        errors.push(node.cat(cid, 0, None).try_collect::<Vec<_>>().await.unwrap_err());
    }
    assert!(began.elapsed() < SHORT * 8, "{:?}", began.elapsed());
    for error in errors {
        match error {
            IpfsError::TimedOut { limit, .. } => assert!(limit == SHORT && stand.asks_the_network),
            // The local node knows at once. Its refusal of `cat` comes before any byte.
            IpfsError::Refused { .. } => assert!(!stand.asks_the_network),
            other => panic!("{other}"),
        }
    }
}

/// Blocks have the names that we give them, whatever the node's own settings for importing say.
#[tokio::test]
async fn kubo_may_be_set_to_import_otherwise() {
    let Some(stand) = Stand::kubo("kubo_may_be_set_to_import_otherwise").await else { return };
    let settings = [
        ("Import.CidVersion", "0"),
        ("Import.UnixFSRawLeaves", "false"),
        ("Import.UnixFSChunker", "\"size-262144\""),
        ("Import.UnixFSFileMaxLinks", "174"),
        ("Import.HashFunction", "\"sha2-512\""),
    ];
    for (name, value) in settings {
        let set = stand.call("config", &[("arg", name), ("arg", value), ("json", "true")]).await;
        assert_eq!(set.0, 200, "{name} {}", String::from_utf8_lossy(&set.1));
    }
    let expected = named(3 * MIB, 11).await;
    let put = stand.node.put_file(content(3 * MIB, 11), Some(expected.cid)).await;
    let pinned = stand.node.pin(expected.cid, PinName::Original).await;
    let block = Block::new(Codec::Raw, Bytes::from_static(b"a block"));
    let stored = stand.node.put_block(&block).await;
    for (name, _) in settings {
        let reset = stand.call("config", &[("arg", name), ("arg", "null"), ("json", "true")]).await;
        assert_eq!(reset.0, 200, "{name}");
    }
    assert_eq!(put.unwrap(), expected);
    pinned.unwrap();
    stored.unwrap();
    stand.node.unpin(expected.cid).await.unwrap();
}
