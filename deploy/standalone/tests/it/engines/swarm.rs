//! What other nodes can fetch from ours: what is published, and nothing else.
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use ipld_core::cid::Cid as Name;
use reelpin_schema::cid::{Cid, Directory};
use reelpin_schema::ipfs::{Limits, Node, PinName};
use reelpin_standalone::engines::{Engines, Network, Options};
use rust_ipfs::builder::DefaultIpfsBuilder;
use rust_ipfs::{DhtMode, Ipfs, Keypair};

use super::rpc::endpoint;
use super::{data, options};

/// How long a peer may look for what it shall not find.
const IN_VAIN: Duration = Duration::from_secs(3);
/// How long for what it shall.
const FOUND: Duration = Duration::from_secs(30);

/// Somebody else's node, which knows nobody.
async fn stranger() -> (Ipfs, String) {
    let key = Keypair::generate_ed25519();
    let peer = DefaultIpfsBuilder::with_keypair(&key)
        .unwrap()
        .with_identify(Default::default())
        .with_bitswap()
        .with_kademlia()
        .enable_tcp()
        .add_listening_addr("/ip4/127.0.0.1/tcp/0".parse().unwrap())
        .start()
        .await
        .unwrap();
    // It takes others' announcements, as the public network's nodes do.
    peer.dht_mode(DhtMode::Server).await.unwrap();
    let address = loop {
        let addresses = peer.listening_addresses().await.unwrap();
        match addresses.first() {
            Some(address) => break address.clone(),
            None => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    let id = key.public().to_peer_id();
    let address = address.to_string();
    let address = match address.contains("/p2p/") {
        true => address,
        false => format!("{address}/p2p/{id}"),
    };
    (peer, address)
}

async fn start_public(data: &Path, peer: &str) -> Engines {
    let options = Options {
        want_postgres: false,
        want_s3: false,
        network: Network::Public,
        swarm_listen: Some("127.0.0.1:0".parse().unwrap()),
        swarm_peers: vec![peer.to_owned()],
        ..options(data)
    };
    Engines::start(options).await.unwrap()
}

fn client(engines: &Engines) -> Node {
    let at = endpoint(engines);
    let credentials = Some((at.rpc_user.as_str(), at.rpc_password.expose()));
    Node::new(&at.rpc_url, credentials, Limits::default()).unwrap()
}

async fn ask(engines: &Engines, call: &str) -> serde_json::Value {
    let at = endpoint(engines);
    let asked = reqwest::Client::new()
        .post(format!("{}/api/v0/{call}", at.rpc_url))
        .basic_auth(&at.rpc_user, Some(at.rpc_password.expose()));
    asked.send().await.unwrap().json().await.unwrap()
}

fn bytes(size: usize, seed: usize) -> Vec<u8> {
    (0..size).map(|n| (n / 251 + n * seed) as u8).collect()
}

async fn put(node: &Node, bytes: &[u8]) -> reelpin_schema::cid::File {
    let pieces = stream::iter(
        bytes.chunks(700_001).map(|piece| Ok::<_, std::io::Error>(piece.to_vec().into())),
    );
    node.put_file(pieces, None).await.unwrap()
}

fn name(cid: Cid) -> Name {
    cid.to_string().parse().unwrap()
}

#[tokio::test]
async fn another_node_fetches_what_is_published_and_nothing_else() {
    let data = data();
    let (peer, address) = stranger().await;
    let engines = start_public(data.path(), &address).await;
    let node = client(&engines);
    let files: HashMap<String, Vec<u8>> = (0..12)
        .map(|n| (format!("480p/{n:05}.m4s"), bytes(150_000 + n, n + 3)))
        .chain([
            ("master.m3u8".to_owned(), b"#EXTM3U\n".to_vec()),
            ("480p/index.m3u8".to_owned(), b"#EXTM3U\n#EXT-X-ENDLIST\n".to_vec()),
            ("480p.mp4".to_owned(), bytes((3 << 20) + 17, 2)),
            ("poster.jpg".to_owned(), bytes(60_000, 5)),
        ])
        .collect();
    let mut entries = Vec::new();
    for (path, bytes) in &files {
        let file = put(&node, bytes).await;
        entries.push((path.clone(), file.cid, file.dag_size));
    }
    let folder = Directory::build(entries).unwrap();
    node.put_blocks(folder.blocks).await.unwrap();
    node.pin(folder.cid, PinName::Published).await.unwrap();
    let original = put(&node, &bytes(1 << 20, 2)).await;
    let secret = put(&node, &bytes((2 << 20) + 1, 9)).await;
    node.pin(original.cid, PinName::Original).await.unwrap();
    node.pin(secret.cid, PinName::Original).await.unwrap();

    wait_for_peers(&engines).await;
    for (path, bytes) in &files {
        let path = format!("/ipfs/{}/{path}", folder.cid);
        let fetched = peer.cat_unixfs(path.parse::<rust_ipfs::IpfsPath>().unwrap());
        let fetched = tokio::time::timeout(FOUND, fetched).await.expect("in time").unwrap();
        assert_eq!(fetched, *bytes, "{path}");
    }
    // The MP4's first block, which an original holds too, is published.
    assert!(has(&peer, name(original.cid)).await);

    let unpublished = put(&node, b"neither pinned nor published").await;
    for cid in [secret.cid, unpublished.cid] {
        assert!(!fetches(&peer, name(cid)).await, "{cid}");
    }
    // It is there, for who may ask the node itself.
    assert!(node.is_pinned(secret.cid).await.unwrap());
    assert!(node.has_block(secret.cid).await.unwrap());

    // What is unpublished is gone for others too, once it was collected.
    node.unpin(folder.cid).await.unwrap();
    node.collect_garbage().await.unwrap();
    let (late, address) = stranger().await;
    drop(peer);
    let id = ask(&engines, "id").await;
    let ours = id["Addresses"][0].as_str().unwrap().to_owned();
    late.connect(ours.parse::<rust_ipfs::Multiaddr>().unwrap()).await.unwrap();
    assert!(!fetches(&late, name(folder.cid)).await, "{address}");
    assert!(!fetches(&late, name(original.cid)).await, "it is an original only, now");
    engines.stop().await;
}

#[tokio::test]
async fn a_public_node_tells_its_peers_of_published_roots_alone() {
    let data = data();
    let (peer, address) = stranger().await;
    let engines = start_public(data.path(), &address).await;
    wait_for_peers(&engines).await;
    let node = client(&engines);
    let (published, original) = (put(&node, b"published").await, put(&node, b"original").await);
    node.pin(published.cid, PinName::Published).await.unwrap();
    node.pin(original.cid, PinName::Original).await.unwrap();
    let us = ask(&engines, "id").await["ID"].as_str().unwrap().to_owned();
    let told = async |cid: Cid| {
        let key = name(cid).hash().to_bytes();
        let Ok(providers) = peer.dht_get_providers(key).await else { return false };
        let found = providers
            .try_any(|peers| std::future::ready(peers.iter().any(|peer| peer.to_string() == us)));
        matches!(tokio::time::timeout(IN_VAIN, found).await, Ok(Ok(true)))
    };
    let mut tries = 0;
    while !told(published.cid).await {
        tries += 1;
        assert!(tries < 20, "not announced");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(!told(original.cid).await);

    let (_other, at) = stranger().await;
    node.connect(&at).await.unwrap();
    let other = at.rsplit('/').next().unwrap();
    let peers = ask(&engines, "swarm/peers").await["Peers"].to_string();
    assert!(peers.contains(other), "{peers}");
    let nobody = node.connect("/ip4/127.0.0.1/tcp/1").await.unwrap_err();
    assert!(nobody.to_string().contains("connect /ip4/127.0.0.1/tcp/1 failure"), "{nobody}");
    engines.stop().await;
}

#[tokio::test]
async fn a_private_node_listens_on_loopback_and_looks_for_nobody() {
    let data = data();
    let (peer, address) = stranger().await;
    let at = address.clone();
    let options = Options {
        want_postgres: false,
        want_s3: false,
        // Not for a private node.
        swarm_listen: Some("0.0.0.0:0".parse().unwrap()),
        swarm_peers: vec![address],
        ..options(data.path())
    };
    let engines = Engines::start(options).await.unwrap();
    let id = ask(&engines, "id").await;
    let addresses: Vec<_> =
        id["Addresses"].as_array().unwrap().iter().map(|at| at.as_str().unwrap()).collect();
    assert_eq!(addresses.len(), 1, "{addresses:?}");
    assert!(addresses[0].starts_with("/ip4/127.0.0.1/tcp/"), "{addresses:?}");
    let protocols = id["Protocols"].to_string();
    assert!(!protocols.contains("kad"), "{protocols}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(peer.connected().await.unwrap().is_empty());
    assert_eq!(ask(&engines, "swarm/peers").await["Peers"], serde_json::json!([]));

    let node = client(&engines);
    let refused = node.connect(&at).await.unwrap_err();
    assert!(refused.to_string().contains("this node is private"), "{refused}");

    // An absent block is told at once, and nobody is asked for it.
    let absent = Cid::of(reelpin_schema::cid::Codec::Raw, b"nobody has this");
    let began = std::time::Instant::now();
    assert!(node.pin(absent, PinName::Published).await.is_err());
    assert!(node.cat(absent, 0, None).next().await.unwrap().is_err());
    assert!(began.elapsed() < Duration::from_secs(1));
    engines.stop().await;
}

async fn wait_for_peers(engines: &Engines) {
    let joined = async {
        while ask(engines, "swarm/peers").await["Peers"].as_array().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(FOUND, joined).await.expect("the nodes find each other");
}

async fn has(peer: &Ipfs, cid: Name) -> bool {
    peer.repo().contains(cid).await.unwrap()
}

async fn fetches(peer: &Ipfs, cid: Name) -> bool {
    let fetched = async { peer.get_block(cid).await.is_ok() };
    tokio::time::timeout(IN_VAIN, fetched).await.unwrap_or(false)
}
