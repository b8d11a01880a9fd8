//! `cat` and `ls`: what is below a CID, from our own blocks.
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::args::Args;
use super::problem::Problem;
use crate::engines::ipfs::file::{self, Kind};
use crate::engines::ipfs::{Node, resolve};

/// A file's bytes from `offset` on, `length` of them.
pub(super) async fn cat(
    State(node): State<Node>,
    args: Args,
) -> Result<impl IntoResponse, Problem> {
    let (root, path) = args.path()?;
    let trail = resolve::resolve(&node, root, path).await?.trail;
    let cid = trail.last().copied().unwrap_or(root);
    let Kind::File { size } = file::look(&node, cid).await? else {
        return Err(Problem::failed("this dag node is a directory"));
    };
    let start = args.number("offset", 0)?.min(size);
    let end = args.number("length", size)?.saturating_add(start).min(size);
    let body = Body::from_stream(file::read(node, cid, start..end));
    Ok(([(header::CONTENT_TYPE, "text/plain")], body))
}

/// The names in a folder.
pub(super) async fn ls(State(node): State<Node>, args: Args) -> Result<Json<Value>, Problem> {
    let (root, path) = args.path()?;
    let trail = resolve::resolve(&node, root, path).await?.trail;
    let cid = trail.last().copied().unwrap_or(root);
    let links = match file::look(&node, cid).await? {
        Kind::File { .. } => Vec::new(),
        Kind::Folder => file::list(&node, cid).await?,
    };
    let mut entries = Vec::with_capacity(links.len());
    for link in links {
        // 1 is a folder, 2 a file, as UnixFS counts.
        let (kind, size) = match file::look(&node, link.target).await? {
            Kind::File { size } => (2, size),
            Kind::Folder => (1, 0),
        };
        entries.push(json!({
            "Name": link.name, "Hash": link.target.to_string(), "Size": size, "Type": kind, "Target": "",
        }));
    }
    Ok(Json(json!({ "Objects": [{ "Hash": cid.to_string(), "Links": entries }] })))
}
