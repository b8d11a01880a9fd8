//! `version`, `id`, `swarm/peers`, `swarm/connect`, `repo/stat`, `repo/gc`.
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use data_encoding::BASE64;
use rust_ipfs::Multiaddr;
use serde_json::{Value, json};

use super::args::Args;
use super::problem::Problem;
use crate::engines::ipfs::Node;

/// What answers here, in the form of Kubo's answer.
pub(super) async fn version() -> Json<Value> {
    Json(json!({
        "Version": concat!("reelpin-", env!("CARGO_PKG_VERSION")),
        "Commit": "",
        "Repo": "reelpin-1",
        "System": format!("{}/{}", std::env::consts::ARCH, std::env::consts::OS),
        "Golang": "",
    }))
}

/// The node's own identity.
pub(super) async fn id(State(node): State<Node>) -> Result<Json<Value>, Problem> {
    let me = node.identity().await?;
    let id = me.peer_id.to_string();
    let addresses: Vec<_> = me.listen_addrs.iter().map(ToString::to_string).collect();
    let protocols: Vec<_> = me.protocols.iter().map(ToString::to_string).collect();
    Ok(Json(json!({
        "ID": id,
        "PublicKey": BASE64.encode(&me.public_key.encode_protobuf()),
        "Addresses": addresses,
        "AgentVersion": concat!("reelpin/", env!("CARGO_PKG_VERSION")),
        "ProtocolVersion": "ipfs/0.1.0",
        "Protocols": protocols,
    })))
}

/// Who is connected; nobody with a private node.
pub(super) async fn peers(State(node): State<Node>) -> Result<Json<Value>, Problem> {
    let peers = node.peers().await?;
    let peers: Vec<_> =
        peers.iter().map(|peer| json!({ "Addr": "", "Peer": peer.to_string() })).collect();
    Ok(Json(json!({ "Peers": peers })))
}

/// Connects to the peer at the `arg`.
pub(super) async fn connect(State(node): State<Node>, args: Args) -> Result<Json<Value>, Problem> {
    let peer = args.get("arg").ok_or_else(|| Problem::bad("argument \"arg\" is required"))?;
    let at: Multiaddr =
        peer.parse().map_err(|error| Problem::bad(format!("invalid address {peer:?}: {error}")))?;
    node.connect(at)
        .await
        .map_err(|error| Problem::failed(format!("connect {peer} failure: {error}")))?;
    Ok(Json(json!({ "Strings": [format!("connect {peer} success")] })))
}

/// How much is stored.
pub(super) async fn stat(State(node): State<Node>) -> Result<Json<Value>, Problem> {
    let stored = node.stored().await?;
    Ok(Json(json!({
        "NumObjects": stored.blocks,
        "RepoSize": stored.bytes,
        "RepoPath": "",
        "Version": "reelpin-1",
    })))
}

/// Removes what no pin holds; one line per removed block, none when `quiet`.
pub(super) async fn gc(State(node): State<Node>, args: Args) -> Result<impl IntoResponse, Problem> {
    let quiet = args.flag("silent", false)?;
    let mut lines = String::new();
    for cid in node.collect().await?.into_iter().filter(|_| !quiet) {
        lines.push_str(&json!({ "Key": { "/": cid.to_string() } }).to_string());
        lines.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, "application/json")], lines))
}
