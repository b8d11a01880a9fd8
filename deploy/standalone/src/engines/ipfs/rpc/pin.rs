//! `pin/add`, `pin/ls`, `pin/rm`: recursive pins and their names.
use axum::Json;
use axum::extract::State;
use ipld_core::cid::Cid;
use serde_json::{Map, Value, json};

use super::args::Args;
use super::problem::Problem;
use crate::engines::ipfs::Node;
use crate::engines::ipfs::node::NodeError;
use crate::engines::ipfs::roots::MAX_NAME;

/// Pins each `arg` under `name`. All blocks must be here: the network is not asked.
pub(super) async fn add(State(node): State<Node>, args: Args) -> Result<Json<Value>, Problem> {
    if !args.flag("recursive", true)? {
        return Err(Problem::bad("only recursive pins are supported"));
    }
    let name = args.get("name").unwrap_or_default();
    if name.len() > MAX_NAME {
        return Err(Problem::bad(format!("a pin's name has at most {MAX_NAME} bytes")));
    }
    let cids = args.cids()?;
    for cid in &cids {
        node.pin(*cid, name).await.map_err(|error| match error {
            NodeError::Absent(_) => Problem::failed(format!("pin: {error}")),
            other => other.into(),
        })?;
    }
    Ok(pins(&cids))
}

/// All recursive pins, or those of the `arg`s, an error where one is not pinned.
pub(super) async fn ls(State(node): State<Node>, args: Args) -> Result<Json<Value>, Problem> {
    let recursive = match args.get("type") {
        None | Some("" | "all" | "recursive") => true,
        Some("direct" | "indirect") => false,
        Some(other) => return Err(Problem::bad(format!("invalid type {other:?}"))),
    };
    let listed = if args.get("arg").is_some() {
        let found = args.cids()?.into_iter().map(|cid| {
            let name = node.roots().name(&cid).filter(|_| recursive);
            name.map(|name| (cid, name))
                .ok_or_else(|| Problem::failed(format!("path '{cid}' is not pinned")))
        });
        found.collect::<Result<_, _>>()?
    } else if recursive {
        node.roots().all()
    } else {
        Vec::new()
    };
    let named = args.flag("names", false)?;
    let wanted = args.get("name").unwrap_or_default();
    let mut keys = Map::new();
    for (cid, name) in listed.into_iter().filter(|(_, name)| name.contains(wanted)) {
        let name = if named { name } else { String::new() };
        keys.insert(cid.to_string(), json!({ "Type": "recursive", "Name": name }));
    }
    Ok(Json(json!({ "Keys": keys })))
}

/// Removes the pin of each `arg`.
pub(super) async fn rm(State(node): State<Node>, args: Args) -> Result<Json<Value>, Problem> {
    let cids = args.cids()?;
    for cid in &cids {
        node.unpin(cid).await?;
    }
    Ok(pins(&cids))
}

fn pins(cids: &[Cid]) -> Json<Value> {
    let pins: Vec<_> = cids.iter().map(ToString::to_string).collect();
    Json(json!({ "Pins": pins }))
}
