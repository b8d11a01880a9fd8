//! The IPFS node's RPC, driven by the client that the services use, and by what must not get in.
use futures_util::TryStreamExt as _;
use ipfs_api_backend_hyper::request::BlockPut;
use ipfs_api_backend_hyper::{IpfsApi, IpfsClient, TryFromUri};
use ipfs_api_prelude::Backend;
use ipfs_api_prelude::request::ApiRequest;
use reelpin_standalone::engines::{Engines, IpfsEndpoint};
use reqwest::StatusCode;
use serde::Serialize;

use super::{data, start_ipfs};

pub(super) fn client(engines: &Engines) -> IpfsClient {
    let at = endpoint(engines);
    IpfsClient::from_str(&at.rpc_url)
        .unwrap()
        .with_credentials(at.rpc_user.as_str(), at.rpc_password.expose())
}

pub(super) fn endpoint(engines: &Engines) -> IpfsEndpoint {
    engines.endpoints().ipfs.clone().unwrap()
}

/// `pin/add` with a name, which the client's own request lacks.
#[derive(Serialize)]
struct PinAddNamed<'a> {
    arg: &'a str,
    recursive: bool,
    name: &'a str,
}

impl ApiRequest for PinAddNamed<'_> {
    const PATH: &'static str = "/pin/add";
}

/// `pin/ls` with names.
#[derive(Serialize)]
struct PinLsNamed<'a> {
    names: bool,
    #[serde(rename = "type")]
    kind: &'a str,
}

impl ApiRequest for PinLsNamed<'_> {
    const PATH: &'static str = "/pin/ls";
}

pub(super) async fn pin(client: &IpfsClient, cid: &str, name: &str) {
    let request = PinAddNamed { arg: cid, recursive: true, name };
    let answer = client.request_raw(request, None).await.unwrap();
    assert_eq!(answer.0, 200, "{answer:?}");
}

pub(super) async fn put(client: &IpfsClient, format: &str, data: Vec<u8>) -> String {
    let options = BlockPut { format: Some(format), mhtype: None, mhlen: None, pin: None };
    client.block_put_with_options(std::io::Cursor::new(data), options).await.unwrap().key
}

#[tokio::test]
async fn blocks_are_put_pinned_listed_and_removed() {
    let data = data();
    let engines = start_ipfs(data.path()).await;
    let client = client(&engines);
    assert!(client.version().await.unwrap().version.starts_with("reelpin"));
    let id = client.id(None).await.unwrap();
    let ours = format!("/p2p/{}", id.id);
    assert!(id.addresses.iter().all(|at| at.matches("/p2p/").count() == 1 && at.ends_with(&ours)));
    assert!(id.addresses.iter().all(|at| at.starts_with("/ip4/127.0.0.1/")), "{id:?}");

    let cid = put(&client, "raw", b"hello".to_vec()).await;
    // As `ipfs block put` names it.
    assert_eq!(cid, "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq");
    assert_eq!(client.block_stat(&cid).await.unwrap().size, 5);
    let bytes = client.block_get(&cid).map_ok(|chunk| chunk.to_vec()).try_concat().await.unwrap();
    assert_eq!(bytes, b"hello");
    let part = client.cat_range(&cid, 1, 3).map_ok(|chunk| chunk.to_vec()).try_concat().await;
    assert_eq!(part.unwrap(), b"ell");

    let unpinned = client.pin_ls(Some(&cid), Some("recursive")).await.unwrap_err();
    assert!(unpinned.to_string().contains("is not pinned"), "{unpinned}");
    assert_eq!(client.pin_add(&cid, true).await.unwrap().pins, std::slice::from_ref(&cid));
    pin(&client, &cid, "original").await;
    let listed = client.pin_ls(Some(&cid), Some("recursive")).await.unwrap();
    assert_eq!(listed.keys[&cid].typ, "recursive");
    assert_eq!(client.pin_ls(None, Some("recursive")).await.unwrap().keys.len(), 1);
    let named = client.request_raw(PinLsNamed { names: true, kind: "recursive" }, None).await;
    let named: serde_json::Value = serde_json::from_slice(&named.unwrap().1).unwrap();
    assert_eq!(named["Keys"][&cid]["Name"], "original");
    assert_eq!(client.pin_rm(&cid, true).await.unwrap().pins, std::slice::from_ref(&cid));
    let again = client.pin_rm(&cid, true).await.unwrap_err();
    assert!(again.to_string().contains("not pinned or pinned indirectly"), "{again}");
    engines.stop().await;
}

#[tokio::test]
async fn a_pin_wants_all_its_blocks_at_once() {
    let data = data();
    let engines = start_ipfs(data.path()).await;
    let client = client(&engines);
    let absent = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    let refused = client.pin_add(absent, true).await.unwrap_err();
    assert!(refused.to_string().contains("could not find"), "{refused}");
    let folder = super::gateway::folder(&[("a", absent, 5)]);
    let root = put(&client, "dag-pb", folder).await;
    let refused = client.pin_add(&root, true).await.unwrap_err();
    assert!(refused.to_string().contains(absent), "{refused}");
    assert!(client.pin_ls(Some(&root), None).await.is_err());
    let unread = client.block_get(absent).map_ok(|chunk| chunk.to_vec()).try_concat().await;
    assert!(unread.is_err());
    engines.stop().await;
}

#[tokio::test]
async fn collection_spares_what_any_pin_holds() {
    let data = data();
    let engines = start_ipfs(data.path()).await;
    let client = client(&engines);
    let shared = put(&client, "raw", b"shared".to_vec()).await;
    let alone = put(&client, "raw", b"alone".to_vec()).await;
    let loose = put(&client, "raw", b"loose".to_vec()).await;
    let one = put(&client, "dag-pb", super::gateway::folder(&[("s", &shared, 6)])).await;
    let entries = [("a", alone.as_str(), 5), ("s", shared.as_str(), 6)];
    let two = put(&client, "dag-pb", super::gateway::folder(&entries)).await;
    pin(&client, &one, "published").await;
    pin(&client, &two, "published").await;
    client.pin_rm(&two, true).await.unwrap();

    let at = endpoint(&engines);
    let collected = reqwest::Client::new()
        .post(format!("{}/api/v0/repo/gc", at.rpc_url))
        .basic_auth(&at.rpc_user, Some(at.rpc_password.expose()))
        .send()
        .await
        .unwrap();
    let removed = collected.text().await.unwrap();
    for gone in [&alone, &loose, &two] {
        assert!(removed.contains(gone.as_str()), "{removed}");
        assert!(client.block_stat(gone).await.is_err());
    }
    for kept in [&shared, &one] {
        client.block_stat(kept).await.unwrap();
    }
    assert_eq!(client.stats_repo().await.unwrap().num_objects, 2);
    engines.stop().await;
}

#[tokio::test]
async fn only_programs_with_the_credential_may_call() {
    let data = data();
    let engines = start_ipfs(data.path()).await;
    let at = endpoint(&engines);
    let call = || reqwest::Client::new().post(format!("{}/api/v0/version", at.rpc_url));
    let known = || call().basic_auth(&at.rpc_user, Some(at.rpc_password.expose()));
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status();
    assert_eq!(status(known()).await, StatusCode::OK);
    assert_eq!(status(call()).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(call().basic_auth(&at.rpc_user, Some("x"))).await, StatusCode::UNAUTHORIZED);
    for (name, value) in [
        ("origin", "null"),
        ("referer", "http://127.0.0.1:8080/"),
        ("sec-fetch-site", "none"),
        ("sec-fetch-mode", "cors"),
        ("user-agent", "Mozilla/5.0 (X11)"),
    ] {
        assert_eq!(status(known().header(name, value)).await, StatusCode::FORBIDDEN, "{name}");
    }
    let rebound = known().header("host", "evil.example");
    assert_eq!(status(rebound).await, StatusCode::MISDIRECTED_REQUEST);
    let get = reqwest::Client::new().get(format!("{}/api/v0/version", at.rpc_url));
    let get = get.basic_auth(&at.rpc_user, Some(at.rpc_password.expose()));
    assert_eq!(status(get).await, StatusCode::METHOD_NOT_ALLOWED);
    engines.stop().await;
}

#[tokio::test]
async fn a_block_has_two_mebibytes_at_most() {
    let data = data();
    let engines = start_ipfs(data.path()).await;
    let client = client(&engines);
    let options = || BlockPut { format: Some("raw"), mhtype: None, mhlen: None, pin: None };
    let most = std::io::Cursor::new(vec![7; 2 << 20]);
    assert_eq!(client.block_put_with_options(most, options()).await.unwrap().size, 2 << 20);
    let more = std::io::Cursor::new(vec![7; (2 << 20) + 1]);
    assert!(client.block_put_with_options(more, options()).await.is_err());
    let no_folder = std::io::Cursor::new(b"no dag-pb".to_vec());
    let dag_pb = BlockPut { format: Some("dag-pb"), ..options() };
    assert!(client.block_put_with_options(no_folder, dag_pb).await.is_err());
    engines.stop().await;
}
