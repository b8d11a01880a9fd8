//! The gateway: published roots, and nothing else that the node stores.
use data_encoding::BASE32_NOPAD;
use reqwest::{Response, StatusCode};

use ipfs_api_backend_hyper::IpfsApi as _;
use rust_unixfs::dir::builder::{BufferingTreeBuilder, TreeOptions};

use super::rpc::{client, endpoint, pin, put};
use super::{data, start_ipfs};

/// A length-delimited field of a protobuf message.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    varint(bytes.len() as u64, &mut out);
    out.extend_from_slice(bytes);
    out
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn link(name: &str, cid: &str, size: u64) -> Vec<u8> {
    let cid = BASE32_NOPAD.decode(cid[1..].to_ascii_uppercase().as_bytes()).unwrap();
    let mut link = field(1, &cid);
    link.extend(field(2, name.as_bytes()));
    link.push(3 << 3);
    varint(size, &mut link);
    field(2, &link)
}

/// A UnixFS folder of (name, CID, size in bytes), names in order.
pub(super) fn folder(entries: &[(&str, &str, u64)]) -> Vec<u8> {
    let mut node: Vec<u8> = entries.iter().flat_map(|(n, cid, size)| link(n, cid, *size)).collect();
    node.extend(field(1, &[0x08, 0x01]));
    node
}

/// A UnixFS file over raw blocks of (CID, size in bytes).
fn file(blocks: &[(&str, u64)]) -> Vec<u8> {
    let mut node: Vec<u8> = blocks.iter().flat_map(|(cid, size)| link("", cid, *size)).collect();
    let mut data = vec![0x08, 0x02, 3 << 3];
    varint(blocks.iter().map(|(_, size)| size).sum(), &mut data);
    for (_, size) in blocks {
        data.push(4 << 3);
        varint(*size, &mut data);
    }
    node.extend(field(1, &data));
    node
}

async fn get(url: String, headers: &[(&str, &str)]) -> Response {
    let mut request = reqwest::Client::new().get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn published_roots_are_served_and_originals_never() {
    let data = data();
    let engines = start_ipfs(data.path()).await;
    let client = client(&engines);
    let at = endpoint(&engines).gateway_url;
    let blocks: Vec<Vec<u8>> = (0..3).map(|n| vec![n; 1000]).collect();
    let mut cids = Vec::new();
    for block in &blocks {
        cids.push(put(&client, "raw", block.clone()).await);
    }
    let sizes: Vec<_> = cids.iter().map(|cid| (cid.as_str(), 1000)).collect();
    let film = put(&client, "dag-pb", file(&sizes)).await;
    let list = put(&client, "raw", b"#EXTM3U\n".to_vec()).await;
    let inner = put(&client, "dag-pb", folder(&[("00000.m4s", &film, 3000)])).await;
    let root =
        put(&client, "dag-pb", folder(&[("480p", &inner, 3100), ("master.m3u8", &list, 8)])).await;
    let secret = put(&client, "raw", b"an original".to_vec()).await;
    let original = put(&client, "dag-pb", file(&[(&secret, 11)])).await;
    pin(&client, &original, "original").await;

    let status = async |path: &str| get(format!("{at}/ipfs/{path}"), &[]).await.status();
    assert_eq!(status(&format!("{root}/master.m3u8")).await, StatusCode::NOT_FOUND);
    pin(&client, &root, "").await;
    assert_eq!(status(&format!("{root}/master.m3u8")).await, StatusCode::NOT_FOUND);
    pin(&client, &root, "published").await;

    let master = get(format!("{at}/ipfs/{root}/master.m3u8"), &[("origin", "http://a.b")]).await;
    assert_eq!(master.status(), StatusCode::OK);
    assert_eq!(header(&master, "content-type"), "application/vnd.apple.mpegurl");
    assert_eq!(header(&master, "etag"), format!("\"{list}\""));
    assert_eq!(header(&master, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header(&master, "x-content-type-options"), "nosniff");
    assert_eq!(header(&master, "content-security-policy"), "sandbox; default-src 'none'");
    assert_eq!(header(&master, "access-control-allow-origin"), "*");
    assert_eq!(header(&master, "x-ipfs-path"), format!("/ipfs/{root}/master.m3u8"));
    assert_eq!(header(&master, "x-ipfs-roots"), format!("{root},{list}"));
    assert_eq!(master.text().await.unwrap(), "#EXTM3U\n");

    let segment = format!("{at}/ipfs/{root}/480p/00000.m4s");
    let whole = get(segment.clone(), &[]).await;
    assert_eq!(header(&whole, "content-type"), "video/iso.segment");
    assert_eq!(whole.bytes().await.unwrap(), blocks.concat());
    let part = get(segment.clone(), &[("range", "bytes=999-2000")]).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(header(&part, "content-range"), "bytes 999-2000/3000");
    assert_eq!(part.bytes().await.unwrap(), blocks.concat()[999..2001]);
    let beyond = get(segment.clone(), &[("range", "bytes=3000-")]).await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(header(&beyond, "content-range"), "bytes */3000");
    let etag = format!("\"{film}\"");
    let known = get(segment.clone(), &[("if-none-match", &etag)]).await;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    let stale = get(segment.clone(), &[("range", "bytes=0-1"), ("if-range", "\"x\"")]).await;
    assert_eq!(stale.status(), StatusCode::OK);
    let head = reqwest::Client::new().head(&segment).send().await.unwrap();
    assert_eq!(header(&head, "content-length"), "3000");
    let listing = get(format!("{at}/ipfs/{root}/"), &[]).await;
    assert_eq!(listing.text().await.unwrap(), "480p\nmaster.m3u8\n");

    for path in [&original, &secret, &film, &inner, &list, &cids[0]] {
        assert_eq!(status(path).await, StatusCode::NOT_FOUND, "{path}");
    }
    for path in [format!("{root}/missing"), format!("{root}/master.m3u8/x"), "x".to_owned()] {
        assert_eq!(status(&path).await, StatusCode::NOT_FOUND, "{path}");
    }
    let rebound = get(segment.clone(), &[("host", "evil.example")]).await;
    assert_eq!(rebound.status(), StatusCode::MISDIRECTED_REQUEST);
    let posted = reqwest::Client::new().post(&segment).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
    engines.stop().await;

    // Names outlive a stop; an unpinned root is gone at once.
    let engines = start_ipfs(data.path()).await;
    let (client, at) = (super::rpc::client(&engines), endpoint(&engines).gateway_url);
    let url = format!("{at}/ipfs/{root}/master.m3u8");
    assert_eq!(get(url.clone(), &[]).await.status(), StatusCode::OK);
    let original_url = format!("{at}/ipfs/{original}");
    assert_eq!(get(original_url, &[]).await.status(), StatusCode::NOT_FOUND);
    client.pin_rm(&root, true).await.unwrap();
    assert_eq!(get(url, &[]).await.status(), StatusCode::NOT_FOUND);
    engines.stop().await;
}

#[tokio::test]
async fn a_folder_of_many_blocks_is_searched() {
    let data = data();
    let engines = start_ipfs(data.path()).await;
    let client = client(&engines);
    let at = endpoint(&engines).gateway_url;
    let leaf = put(&client, "raw", b"leaf".to_vec()).await;
    let mut options = TreeOptions::default();
    options.wrap_with_directory();
    options.block_size_limit(None);
    let mut tree = BufferingTreeBuilder::new(options);
    // Over 256 KiB of names and links, at which a folder is spread over blocks.
    let name = |n: u32| format!("{n:05}-{}.m4s", "long".repeat(25));
    for n in 0..2000 {
        tree.put_link(&name(n), leaf.parse().unwrap(), 4).unwrap();
    }
    let mut root = None;
    let mut blocks = 0;
    for node in tree.build() {
        let node = node.unwrap();
        let cid = put(&client, "dag-pb", node.block.to_vec()).await;
        assert_eq!(cid, node.cid.to_string());
        (root, blocks) = (Some(cid), blocks + 1);
    }
    let root = root.unwrap();
    assert!(blocks > 100, "{blocks}");
    pin(&client, &root, "published").await;
    for n in [0, 777, 1999] {
        let found = get(format!("{at}/ipfs/{root}/{}", name(n)), &[]).await;
        assert_eq!(found.text().await.unwrap(), "leaf");
    }
    let missing = get(format!("{at}/ipfs/{root}/{}", name(2000)), &[]).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    engines.stop().await;
}

#[tokio::test]
async fn a_lost_block_is_told_at_once() {
    let data = data();
    let engines = start_ipfs(data.path()).await;
    let client = client(&engines);
    let leaf = put(&client, "raw", b"leaf".to_vec()).await;
    let root = put(&client, "dag-pb", folder(&[("a", &leaf, 4)])).await;
    pin(&client, &root, "published").await;
    let lost = find(&data.path().join("ipfs/repo"), b"leaf").unwrap();
    std::fs::remove_file(lost).unwrap();
    let answer = get(format!("{}/ipfs/{root}/a", endpoint(&engines).gateway_url), &[]).await;
    assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(header(&answer, "cache-control"), "no-store");
    engines.stop().await;
}

/// The file below `folder` that holds exactly `bytes`.
fn find(folder: &std::path::Path, bytes: &[u8]) -> Option<std::path::PathBuf> {
    std::fs::read_dir(folder).unwrap().map(Result::unwrap).find_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return find(&path, bytes);
        }
        (std::fs::read(&path).unwrap() == bytes).then_some(path)
    })
}
