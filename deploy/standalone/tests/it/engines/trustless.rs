//! Blocks and archives from the gateway, for clients that believe nothing but hashes.
use std::collections::HashMap;

use ipld_core::cid::Cid;
use reelpin_schema::cid::{Block, Directory, File, FileBlocks};
use reelpin_standalone::engines::Engines;
use reqwest::{Response, StatusCode};

use super::rpc::{client, endpoint, pin, put};
use super::{data, start_ipfs};

pub(super) const MIB: usize = 1 << 20;

/// A published folder: its names and all of its blocks.
struct Film {
    root: String,
    files: HashMap<&'static str, (File, Vec<Block>)>,
    folder: Vec<Block>,
}

/// Bytes that do not repeat within a block.
fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n / 251 + n) as u8).collect()
}

pub(super) fn blocks(bytes: &[u8]) -> (File, Vec<Block>) {
    let (mut dag, mut blocks) = (FileBlocks::new(), Vec::new());
    dag.push(bytes, |block| blocks.push(block));
    let file = dag.finish(|block| blocks.push(block));
    (file, blocks)
}

async fn publish(engines: &Engines) -> Film {
    let client = client(engines);
    let segment = bytes(3 * MIB + 5);
    let files = HashMap::from([
        ("480p/00000.m4s", blocks(&segment)),
        ("master.m3u8", blocks(b"#EXTM3U\n")),
        // Twice the same chunk.
        ("480p.mp4", blocks(&[vec![7; 2 * MIB], vec![8]].concat())),
    ]);
    let entries = files.iter().map(|(path, (file, _))| (*path, file.cid, file.dag_size));
    let folder = Directory::build(entries).unwrap();
    for block in files.values().flat_map(|(_, blocks)| blocks).chain(&folder.blocks) {
        let cid = put(&client, block.cid().codec().name(), block.bytes().to_vec()).await;
        assert_eq!(cid, block.cid().to_string());
    }
    let root = folder.cid.to_string();
    pin(&client, &root, "published").await;
    Film { root, files, folder: folder.blocks }
}

async fn get(url: String, accept: &str) -> Response {
    reqwest::Client::new().get(url).header("accept", accept).send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

fn varint(bytes: &mut &[u8]) -> usize {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

/// The blocks of an archive whose header is in order, each compared with its name.
fn unpack(mut car: &[u8], root: &str) -> Vec<(String, Vec<u8>)> {
    let length = varint(&mut car);
    let (header, mut rest) = car.split_at(length);
    let root: Cid = root.parse().unwrap();
    assert!(header.starts_with(b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x00"));
    assert_eq!(header[13..], [&root.to_bytes()[..], b"\x67version\x01"].concat());
    let mut blocks = Vec::new();
    while !rest.is_empty() {
        let length = varint(&mut rest);
        let (section, left) = rest.split_at(length);
        rest = left;
        let cid = Cid::try_from(&section[..36]).unwrap();
        let data = section[36..].to_vec();
        rust_ipfs::Block::new(cid, data.clone()).unwrap();
        blocks.push((cid.to_string(), data));
    }
    blocks
}

#[tokio::test]
async fn blocks_come_as_they_are() {
    let data = data();
    let engines = start_ipfs(data.path()).await;
    let film = publish(&engines).await;
    let at = endpoint(&engines).gateway_url;
    let everything = film.files.values().flat_map(|(_, blocks)| blocks).chain(&film.folder);
    for block in everything {
        let url = format!("{at}/ipfs/{}?format=raw", block.cid());
        let answer = get(url, "*/*").await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(header(&answer, "content-type"), "application/vnd.ipld.raw");
        assert_eq!(header(&answer, "etag"), format!("\"{}.raw\"", block.cid()));
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        assert_eq!(header(&answer, "cache-control"), "public, max-age=31536000, immutable");
        let disposition = format!("attachment; filename=\"{}.bin\"", block.cid());
        assert_eq!(header(&answer, "content-disposition"), disposition);
        assert_eq!(answer.bytes().await.unwrap(), block.bytes());
    }
    let (file, list) = &film.files["master.m3u8"];
    let by_name = format!("{at}/ipfs/{}/master.m3u8", film.root);
    let answer = get(by_name.clone(), "application/vnd.ipld.raw").await;
    assert_eq!(header(&answer, "vary"), "accept");
    assert_eq!(answer.bytes().await.unwrap(), list[0].bytes());
    let known = reqwest::Client::new()
        .get(format!("{by_name}?format=raw"))
        .header("if-none-match", format!("\"{}.raw\"", file.cid));
    assert_eq!(known.send().await.unwrap().status(), StatusCode::NOT_MODIFIED);
    let head = reqwest::Client::new().head(format!("{by_name}?format=raw")).send().await.unwrap();
    assert_eq!(header(&head, "content-length"), "8");

    for (query, accept, status) in [
        ("?format=dag-json", "*/*", StatusCode::NOT_ACCEPTABLE),
        ("", "application/vnd.ipld.car;version=2", StatusCode::NOT_ACCEPTABLE),
        ("?format=car&dag-scope=some", "*/*", StatusCode::BAD_REQUEST),
        ("?format=car&entity-bytes=9:*", "*/*", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(get(format!("{by_name}{query}"), accept).await.status(), status, "{query}");
    }
    for form in ["raw", "car"] {
        let probed = get(format!("{at}/ipfs/bafkqaaa?format={form}"), "*/*").await;
        assert_eq!(probed.status(), StatusCode::OK);
        assert_eq!(probed.bytes().await.unwrap().is_empty(), form == "raw");
    }
    engines.stop().await;
}

#[tokio::test]
async fn archives_hold_what_their_scope_says() {
    let data = data();
    let engines = start_ipfs(data.path()).await;
    let film = publish(&engines).await;
    let at = endpoint(&engines).gateway_url;
    let (segment, mp4) = (&film.files["480p/00000.m4s"], &film.files["480p.mp4"]);
    let archive = async |path: &str, query: &str, root: &str| {
        let url = format!("{at}/ipfs/{path}?format=car{query}");
        let answer = get(url, "*/*").await;
        assert_eq!(answer.status(), StatusCode::OK, "{path} {query}");
        let dups = if query.contains("dups=y") { "y" } else { "n" };
        let kind = format!("application/vnd.ipld.car; version=1; order=dfs; dups={dups}");
        assert_eq!(header(&answer, "content-type"), kind);
        assert!(header(&answer, "content-disposition").ends_with(".car\""));
        assert!(header(&answer, "etag").starts_with("W/\""));
        unpack(&answer.bytes().await.unwrap(), root)
    };
    let root = film.root.as_str();
    let names = |blocks: &[(String, Vec<u8>)]| -> Vec<String> {
        blocks.iter().map(|(cid, _)| cid.clone()).collect()
    };

    let whole = archive(root, "", root).await;
    let blocks: HashMap<String, Vec<u8>> = whole.iter().cloned().collect();
    assert_eq!(blocks.len(), whole.len(), "each once");
    let all = film.files.values().flat_map(|(_, blocks)| blocks).chain(&film.folder);
    for block in all {
        assert_eq!(blocks[&block.cid().to_string()], *block.bytes());
    }
    assert_eq!(whole[0].0, root);

    let file = segment.0.cid.to_string();
    let path = format!("{root}/480p/00000.m4s");
    let way = names(&archive(&path, "&dag-scope=block", &file).await);
    let folder = film.folder.iter().map(|block| block.cid().to_string());
    assert_eq!(way.len(), 3);
    assert_eq!((way[0].as_str(), way[2].as_str()), (root, file.as_str()));
    assert!(folder.into_iter().any(|cid| cid == way[1]));
    let entity = names(&archive(&path, "&dag-scope=entity", &file).await);
    assert_eq!(entity.len(), 2 + segment.1.len());
    assert_eq!(entity, names(&archive(&path, "", &file).await));

    // The second mebibyte alone, and one byte of the third.
    let query = format!("&entity-bytes={}:{}", MIB, 2 * MIB);
    let part = archive(&path, &query, &file).await;
    let leaf = |at: usize| segment.1[at].cid().to_string();
    assert_eq!(names(&part), [&way[..], &[leaf(1), leaf(2)]].concat());
    let last = archive(&file, "&entity-bytes=-5:*", &file).await;
    assert_eq!(names(&last), [file.clone(), leaf(3)]);
    let blocks: HashMap<_, _> = last.into_iter().collect();
    assert_eq!(blocks[&leaf(3)], bytes(3 * MIB + 5)[3 * MIB..]);

    let twice = mp4.0.cid.to_string();
    assert_eq!(archive(&twice, "", &twice).await.len(), 3);
    assert_eq!(archive(&twice, "&car-dups=y", &twice).await.len(), 4);
    assert_eq!(archive(root, "&dag-scope=entity", root).await.len(), 1);
    engines.stop().await;
}

#[tokio::test]
async fn a_large_folder_proves_its_names() {
    let data = data();
    let engines = start_ipfs(data.path()).await;
    let client = client(&engines);
    let at = endpoint(&engines).gateway_url;
    let (leaf, leaf_blocks) = blocks(b"leaf");
    let name = |n: usize| format!("{n:05}-{}.m4s", "long".repeat(25));
    let folder = Directory::build((0..2500).map(|n| (name(n), leaf.cid, leaf.dag_size))).unwrap();
    for block in leaf_blocks.iter().chain(&folder.blocks) {
        put(&client, block.cid().codec().name(), block.bytes().to_vec()).await;
    }
    let root = folder.cid.to_string();
    pin(&client, &root, "published").await;
    let url = format!("{at}/ipfs/{root}?format=car&dag-scope=entity");
    let car = get(url, "*/*").await.bytes().await.unwrap();
    assert_eq!(unpack(&car, &root).len(), folder.blocks.len(), "the names without the files");
    let url = format!("{at}/ipfs/{root}/{}?format=car", name(1234));
    let car = get(url, "*/*").await.bytes().await.unwrap();
    let way = unpack(&car, &leaf.cid.to_string());
    assert!((3..=4).contains(&way.len()), "{}", way.len());
    let listed = get(format!("{at}/ipfs/{root}/"), "*/*").await.text().await.unwrap();
    assert_eq!(listed.lines().count(), 2500);
    assert!(listed.lines().any(|line| line == name(77)));
    assert_eq!(way[0].0, root);
    assert_eq!(way[way.len() - 1].1, b"leaf");
    engines.stop().await;
}

#[tokio::test]
async fn what_no_published_root_reaches_is_nobodys() {
    let data = data();
    let engines = start_ipfs(data.path()).await;
    let client = client(&engines);
    let at = endpoint(&engines).gateway_url;
    let film = publish(&engines).await;
    let shared = film.files["480p/00000.m4s"].1[0].cid().to_string();
    let (original, secret) = blocks(&[bytes(MIB), b"home address".to_vec()].concat());
    assert_eq!(secret[0].cid().to_string(), shared, "an original may hold a published block");
    for block in &secret {
        put(&client, block.cid().codec().name(), block.bytes().to_vec()).await;
    }
    let status = async |cid: &str, form: &str| {
        get(format!("{at}/ipfs/{cid}?format={form}"), "*/*").await.status()
    };
    let original = original.cid.to_string();
    let hidden = secret[1].cid().to_string();
    let check = async || {
        for form in ["raw", "car"] {
            assert_eq!(status(&original, form).await, StatusCode::NOT_FOUND);
            assert_eq!(status(&hidden, form).await, StatusCode::NOT_FOUND);
            assert_eq!(status(&shared, form).await, StatusCode::OK);
        }
    };
    check().await;
    pin(&client, &original, "original").await;
    check().await;

    // What the original and the film share is not public any more once the film is not.
    client_unpin(&client, &film.root).await;
    for form in ["raw", "car"] {
        assert_eq!(status(&shared, form).await, StatusCode::NOT_FOUND);
        assert_eq!(status(&film.root, form).await, StatusCode::NOT_FOUND);
    }
    collect(&engines).await;
    assert_eq!(status(&shared, "raw").await, StatusCode::NOT_FOUND);
    put_again(&client, &film).await;
    pin(&client, &film.root, "published").await;
    check().await;

    // An original that is published is public, and no more once its name changes back.
    pin(&client, &original, "published").await;
    assert_eq!(status(&hidden, "raw").await, StatusCode::OK);
    pin(&client, &original, "original").await;
    assert_eq!(status(&hidden, "raw").await, StatusCode::NOT_FOUND);
    engines.stop().await;
    // What was hidden stays so after a start.
    let engines = start_ipfs(data.path()).await;
    let at = endpoint(&engines).gateway_url;
    let status = async |cid: &str| get(format!("{at}/ipfs/{cid}?format=raw"), "*/*").await.status();
    assert_eq!(status(&hidden).await, StatusCode::NOT_FOUND);
    assert_eq!(status(&shared).await, StatusCode::OK);
    engines.stop().await;
}

async fn client_unpin(client: &ipfs_api_backend_hyper::IpfsClient, root: &str) {
    use ipfs_api_backend_hyper::IpfsApi as _;
    client.pin_rm(root, true).await.unwrap();
}

async fn put_again(client: &ipfs_api_backend_hyper::IpfsClient, film: &Film) {
    for block in film.files.values().flat_map(|(_, blocks)| blocks).chain(&film.folder) {
        put(client, block.cid().codec().name(), block.bytes().to_vec()).await;
    }
}

async fn collect(engines: &Engines) {
    let at = endpoint(engines);
    let collected = reqwest::Client::new()
        .post(format!("{}/api/v0/repo/gc", at.rpc_url))
        .basic_auth(&at.rpc_user, Some(at.rpc_password.expose()));
    assert_eq!(collected.send().await.unwrap().status(), StatusCode::OK);
}
