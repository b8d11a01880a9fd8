//! The IPFS node: whether it stores, names, pins and lets go as ours does.

use bytes::Bytes;
use futures_util::stream;
use reelpin_schema::finding::{Finding, chain};
use reelpin_schema::ipfs::{IpfsError, Limits, Node, PinName};
use reelpin_schema::settings;

pub(super) async fn tried(ipfs: Option<&settings::Ipfs>) -> Vec<Finding> {
    let Some(ipfs) = ipfs else {
        let words = "REELPIN_IPFS_RPC is not set: content ids are computed, but nothing is pinned";
        return vec![Finding::missing("the node", words)];
    };
    let node = match Node::configured(ipfs, Limits::default()) {
        Ok(node) => node,
        Err(e) => return vec![Finding::broken("the node", chain(&e))],
    };
    let mut found = Vec::new();
    match node.version().await {
        Ok(version) => found.push(Finding::works("the node", format!("{version} at {}", ipfs.rpc))),
        Err(e) => {
            let hint = match e {
                IpfsError::Forbidden { .. } => ": see REELPIN_IPFS_RPC_AUTH",
                _ => "",
            };
            let words = format!("{}: {}{hint}", ipfs.rpc, chain(&e));
            return vec![Finding::broken("the node", words)];
        }
    }
    found.push(match kept(&node).await {
        Ok(true) => Finding::works(
            "storing and pinning",
            "content has our id there, is listed once pinned, and is let go",
        ),
        Ok(false) => Finding::broken("storing and pinning", "it does not list the pin it took"),
        Err(e) => Finding::broken("storing and pinning", chain(&e)),
    });
    found.push(match &ipfs.gateway {
        Some(url) => Finding::works("links", format!("the page links to {url}")),
        None => Finding::missing(
            "links",
            "REELPIN_IPFS_GATEWAY is not set: the page shows content ids without links",
        ),
    });
    found
}

/// Brings a few bytes there, of the same content each time, and lets them go.
async fn kept(node: &Node) -> Result<bool, IpfsError> {
    let bytes = Bytes::from_static(b"reelpin-gateway check");
    let content = stream::iter([Ok::<_, std::io::Error>(bytes)]);
    let file = node.put_file(content, None).await?;
    node.pin(file.cid, PinName::Published).await?;
    let listed = node.is_pinned(file.cid).await;
    node.unpin(file.cid).await?;
    listed
}
