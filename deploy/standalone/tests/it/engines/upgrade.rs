//! A data folder of a version whose pins were rust-ipfs's own.
use ipfs_api_backend_hyper::IpfsApi as _;
use reelpin_schema::cid::{Cid, Codec};
use rust_ipfs::Block;
use rust_ipfs::repo::Repo;

use super::rpc::{client, endpoint};
use super::{data, start_ipfs};

#[tokio::test]
async fn pins_of_an_earlier_version_are_kept() {
    let data = data();
    let home = data.path().join("ipfs");
    std::fs::create_dir_all(home.join("pin-names")).unwrap();
    let bytes = [&b"published"[..], b"without a name", b"not pinned"];
    let cids = bytes.map(|bytes| Cid::of(Codec::Raw, bytes).to_string());
    {
        let repo = Repo::new_fs(home.join("repo"));
        std::fs::create_dir_all(home.join("repo")).unwrap();
        repo.init().await.unwrap();
        for (cid, bytes) in cids.iter().zip(bytes) {
            let block = Block::new(cid.parse().unwrap(), bytes.to_vec()).unwrap();
            repo.put_block(&block).broadcast_on_new_block(false).await.unwrap();
        }
        for cid in &cids[..2] {
            let cid: ipld_core::cid::Cid = cid.parse().unwrap();
            repo.pin(cid).recursive().await.unwrap();
        }
    }
    std::fs::write(home.join("pin-names").join(&cids[0]), "published").unwrap();

    for _ in 0..2 {
        let engines = start_ipfs(data.path()).await;
        let client = client(&engines);
        let listed = client.pin_ls(None, Some("recursive")).await.unwrap().keys;
        assert_eq!(listed.len(), 2);
        assert!(cids[..2].iter().all(|cid| listed.contains_key(cid)));
        let at = endpoint(&engines);
        let collected = reqwest::Client::new()
            .post(format!("{}/api/v0/repo/gc", at.rpc_url))
            .basic_auth(&at.rpc_user, Some(at.rpc_password.expose()));
        collected.send().await.unwrap();
        for (cid, here) in cids.iter().zip([true, true, false]) {
            assert_eq!(client.block_stat(cid).await.is_ok(), here, "{cid}");
        }
        // Shared with the network, and so public, is what was published.
        for (cid, status) in cids.iter().zip([200, 404, 404]) {
            let raw = reqwest::get(format!("{}/ipfs/{cid}?format=raw", at.gateway_url)).await;
            assert_eq!(raw.unwrap().status(), status, "{cid}");
        }
        engines.stop().await;
    }
}
