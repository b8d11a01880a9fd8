//! The client of an IPFS node: against a server that misbehaves, and against Kubo where there is one.

mod kubo;
mod server;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use reelpin_schema::cid::{Block, Checksum, Cid, Codec, Directory};
use reelpin_schema::ipfs::{IpfsError, Limits, Node, PinName};

use self::server::{Answer, Request, Server};

/// Long enough for a busy machine; a test that waits for a limit sets its own.
const LIMITS: Limits = Limits {
    answer: Duration::from_secs(20),
    transfer: Duration::from_secs(20),
    pin: Duration::from_secs(20),
};
const SHORT: Duration = Duration::from_millis(50);

/// A node that answers every call in the same way.
async fn answering(answer: impl Fn() -> Answer + Send + Sync + 'static) -> Result<(Server, Node)> {
    node(move |_| answer()).await
}

async fn node(
    answer: impl Fn(Request) -> Answer + Send + Sync + 'static,
) -> Result<(Server, Node)> {
    let server = Server::start(answer).await?;
    let node = Node::new(&server.url(), None, LIMITS)?;
    Ok((server, node))
}

fn some_cid() -> Cid {
    Cid::of(Codec::Raw, b"some")
}

#[tokio::test]
async fn version_is_the_sign_of_life() -> Result<()> {
    let (_server, node) = node(|request| {
        assert_eq!(request.target, "/version");
        Answer::ok(r#"{"Version":"0.44.0","Commit":"","Repo":"18","Some":{"thing":"new"}}"#)
    })
    .await?;
    assert_eq!(node.version().await?, "0.44.0");
    Ok(())
}

#[tokio::test]
async fn credentials_are_sent_and_never_shown() -> Result<()> {
    let server = Server::start(|request| {
        // reelpin:s3cret
        if request.head.contains("authorization: basic cmvlbhbpbjpzm2nyzxq=") {
            Answer::ok(r#"{"Version":"1","Commit":"","Repo":""}"#)
        } else {
            Answer::Status(403, "403 - Forbidden".into())
        }
    })
    .await?;
    let open = Node::new(&server.url(), None, LIMITS)?;
    assert!(matches!(open.version().await, Err(IpfsError::Forbidden { status: 403 })));
    let known = Node::new(&server.url(), Some(("reelpin", "s3cret")), LIMITS)?;
    known.version().await?;
    assert!(!format!("{known:?}").contains("s3cret"));
    Ok(())
}

#[test]
fn only_plain_http_is_a_node() {
    for bad in ["", "127.0.0.1:5001", "https://ipfs:5001", "http://", "http:///api", "http://u:p@h"]
    {
        let refused = Node::new(bad, None, LIMITS);
        assert!(matches!(refused, Err(IpfsError::BadUrl { url }) if url == bad), "{bad}");
    }
    assert!(Node::new("http://[::1]:5001/api/v0", None, LIMITS).is_ok());
}

#[tokio::test]
async fn a_node_that_hangs_costs_the_limit_and_no_more() -> Result<()> {
    let server = Server::start(|_| Answer::Hang).await?;
    let limits = Limits { answer: SHORT, transfer: SHORT, pin: SHORT };
    let node = Node::new(&server.url(), None, limits)?;
    let block = Block::new(Codec::Raw, "some".into());
    let timed_out = |result: Result<(), IpfsError>| {
        assert!(matches!(result, Err(IpfsError::TimedOut { limit: SHORT, .. })), "{result:?}");
    };
    timed_out(node.version().await.map(drop));
    timed_out(node.has_block(block.cid()).await.map(drop));
    timed_out(node.put_block(&block).await);
    timed_out(node.put_file(pieces(&[b"some"]), None).await.map(drop));
    timed_out(node.pin(block.cid(), PinName::Published).await);
    timed_out(node.is_pinned(block.cid()).await.map(drop));
    timed_out(node.unpin(block.cid()).await);
    timed_out(node.cat(block.cid(), 0, None).try_collect::<Vec<_>>().await.map(drop));
    Ok(())
}

#[tokio::test]
async fn a_node_that_is_away_is_unreachable() -> Result<()> {
    let server = Server::start(|_| Answer::Hang).await?;
    let node = Node::new(&server.url(), None, LIMITS)?;
    drop(server);
    assert!(matches!(node.version().await, Err(IpfsError::Unreachable(_))));

    let (_server, torn) = answering(|| Answer::Torn(br#"{"Version":"1"}"#.to_vec())).await?;
    assert!(matches!(torn.version().await, Err(IpfsError::Unreachable(_))));
    Ok(())
}

#[tokio::test]
async fn other_answers_are_told_apart() -> Result<()> {
    let (_server, node) = answering(|| Answer::ok("<html>")).await?;
    assert!(matches!(node.version().await, Err(IpfsError::Misunderstood { call: "/version", .. })));
    let (_server, node) = answering(|| Answer::Status(502, "bad gateway\n".into())).await?;
    let error = node.version().await.expect_err("502");
    assert_eq!(error.to_string(), "the ipfs node refuses: 502 bad gateway");
    Ok(())
}

#[tokio::test]
async fn a_pin_counts_when_it_is_listed() -> Result<()> {
    let cid = some_cid();
    let (_server, node) = node(move |request| {
        assert_eq!(request.target, format!("/pin/ls?arg={cid}&type=recursive"));
        Answer::ok(&format!(r#"{{"Keys":{{"{cid}":{{"Type":"recursive","Name":""}}}}}}"#))
    })
    .await?;
    assert!(node.is_pinned(cid).await?);

    let unlisted = Answer::error(&format!("path '{cid}' is not pinned"));
    let Answer::Status(_, unlisted) = unlisted else { unreachable!() };
    let (_server, node) = answering(move || Answer::Status(500, unlisted.clone())).await?;
    assert!(!node.is_pinned(cid).await?);

    let (_server, node) = answering(|| Answer::error("pin: lock: no space left on device")).await?;
    assert!(matches!(node.is_pinned(cid).await, Err(IpfsError::Refused { .. })));
    Ok(())
}

#[tokio::test]
async fn pins_have_names_and_are_recursive() -> Result<()> {
    let cid = some_cid();
    let (_server, node) = node(move |request| {
        let query = format!("/pin/add?arg={cid}&recursive=true&progress=false&name=original");
        assert_eq!(request.target, query);
        Answer::ok(&format!(r#"{{"Pins":["{cid}"]}}"#))
    })
    .await?;
    node.pin(cid, PinName::Original).await?;
    Ok(())
}

#[tokio::test]
async fn letting_go_twice_is_fine() -> Result<()> {
    let (_server, node) = answering(|| Answer::error("not pinned or pinned indirectly")).await?;
    node.unpin(some_cid()).await?;
    let (_server, node) = answering(|| Answer::error("database is locked")).await?;
    assert!(matches!(node.unpin(some_cid()).await, Err(IpfsError::Refused { .. })));
    Ok(())
}

#[tokio::test]
async fn a_missing_block_is_not_an_error() -> Result<()> {
    let cid = some_cid();
    let (_server, node) = node(move |request| {
        assert_eq!(request.target, format!("/block/stat?arg={cid}&offline=true"));
        Answer::error(&format!("block was not found locally (offline): ipld: could not find {cid}"))
    })
    .await?;
    assert!(!node.has_block(cid).await?);
    Ok(())
}

/// Keeps what it is given, as a node does.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<BTreeMap<Cid, Vec<u8>>>>);

impl Store {
    fn put(&self, request: Request) -> Answer {
        let codec = match request.target.as_str() {
            "/block/put?format=raw&mhtype=sha2-256" => Codec::Raw,
            "/block/put?format=dag-pb&mhtype=sha2-256" => Codec::DagPb,
            other => return Answer::error(other),
        };
        let cid = Cid::of(codec, &request.data);
        let size = request.data.len();
        self.0.lock().expect("no panic above").insert(cid, request.data);
        Answer::ok(&format!(r#"{{"Key":"{cid}","Size":{size}}}"#))
    }

    fn cids(&self) -> Vec<Cid> {
        self.0.lock().expect("no panic above").keys().copied().collect()
    }
}

fn pieces(
    pieces: &[&'static [u8]],
) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> + Send + use<> {
    stream::iter(pieces.iter().map(|piece| Ok(Bytes::from_static(piece))).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_file_arrives_as_its_blocks() -> Result<()> {
    let store = Store::default();
    let (_server, node) = node({
        let store = store.clone();
        move |request| store.put(request)
    })
    .await?;
    let bytes: Vec<u8> = (0..7_500_000u32).map(|i| (i % 251) as u8).collect();
    let expected = Checksum::of(&bytes).file;
    let cut =
        bytes.chunks(700_001).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)));
    let file = node.put_file(stream::iter(cut), Some(expected.cid)).await?;

    assert_eq!(file, expected);
    let stored = store.0.lock().expect("no panic above");
    assert_eq!(stored.len(), 9);
    assert!(stored.contains_key(&file.cid));
    assert_eq!(stored.values().map(|block| block.len() as u64).sum::<u64>(), file.dag_size);
    Ok(())
}

#[tokio::test]
async fn a_folder_arrives_as_its_blocks() -> Result<()> {
    let store = Store::default();
    let (_server, node) = node({
        let store = store.clone();
        move |request| store.put(request)
    })
    .await?;
    let folder = Directory::build([("a/b", some_cid(), 4), ("c", some_cid(), 4)])?;
    let blocks = folder.blocks.clone();
    // In a task of its own: what a worker does must be able to move between threads.
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        node.put_blocks(blocks).await?;
        node.put_file(pieces(&[]), None).await
    });
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let mut blocks: Vec<Cid> = folder.blocks.iter().map(Block::cid).collect();
    blocks.push(Cid::of(Codec::Raw, b""));
    blocks.sort();
    assert_eq!(store.cids(), blocks);
    Ok(())
}

#[tokio::test]
async fn content_that_is_not_what_was_expected_is_refused() -> Result<()> {
    let store = Store::default();
    let (_server, node) = node(move |request| store.put(request)).await?;
    let got = Cid::of(Codec::Raw, b"other");
    let expected = some_cid();
    let error = node.put_file(pieces(&[b"ot", b"her"]), Some(expected)).await;
    assert!(
        matches!(error, Err(IpfsError::WrongCid { expected: e, got: g }) if (e, g) == (expected, got))
    );

    let broken = stream::iter([Ok(Bytes::from_static(b"some")), Err("the disk is gone")]);
    assert!(matches!(node.put_file(broken, None).await, Err(IpfsError::Content(_))));
    Ok(())
}

#[tokio::test]
async fn a_node_that_names_a_block_otherwise_is_refused() -> Result<()> {
    let block = Block::new(Codec::Raw, "some".into());
    let got = Cid::of(Codec::DagPb, b"some");
    let (_server, node) = answering(move || Answer::ok(&format!(r#"{{"Key":"{got}"}}"#))).await?;
    assert!(
        matches!(node.put_block(&block).await, Err(IpfsError::WrongCid { got: g, .. }) if g == got)
    );
    let (_server, node) = answering(|| Answer::ok(r#"{"Key":"Qm"}"#)).await?;
    assert!(matches!(node.put_block(&block).await, Err(IpfsError::BadCid { .. })));
    let error = node.put_file(pieces(&[b"some"]), None).await;
    assert!(matches!(error, Err(IpfsError::BadCid { .. })));
    Ok(())
}

#[tokio::test]
async fn files_come_back_in_pieces() -> Result<()> {
    let cid = some_cid();
    let (_server, node) = node(move |request| match request.target {
        target if target == format!("/cat?arg={cid}&offset=2&length=3") => Answer::ok("abc"),
        target if target == format!("/cat?arg={cid}&offset=0") => Answer::Torn(b"abcd".to_vec()),
        _ => Answer::error("this dag node is a directory"),
    })
    .await?;
    let read = |offset, length| node.cat(cid, offset, length).try_collect::<Vec<Bytes>>();
    assert_eq!(read(2, Some(3)).await?.concat(), b"abc");
    assert!(matches!(read(0, None).await, Err(IpfsError::Unreachable(_))));
    assert!(
        matches!(read(9, None).await, Err(IpfsError::Refused { message }) if message == "this dag node is a directory")
    );
    Ok(())
}
