//! `block/put`, `block/get`, `block/stat`.
use axum::Json;
use axum::extract::{Multipart, State};
use axum::http::header;
use axum::response::IntoResponse;
use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use super::MAX_BLOCK;
use super::args::Args;
use super::problem::Problem;
use crate::engines::ipfs::{Node, dag};

/// Stores the block in the form's first field under the codec that is asked for.
pub(super) async fn put(
    State(node): State<Node>,
    args: Args,
    form: Multipart,
) -> Result<Json<Value>, Problem> {
    let codec = match args.get("cid-codec").or(args.get("format")) {
        None | Some("raw") => dag::RAW,
        Some("dag-pb" | "protobuf") => dag::DAG_PB,
        Some(other) => return Err(Problem::bad(format!("unsupported codec {other:?}"))),
    };
    if !matches!(args.get("mhtype"), None | Some("sha2-256")) {
        return Err(Problem::bad("only sha2-256 is supported"));
    }
    if !matches!(args.get("mhlen"), None | Some("-1" | "32")) {
        return Err(Problem::bad("only whole hashes are supported"));
    }
    let data = first_field(form).await?;
    let size = data.len();
    let cid = node.put(codec, data).await?;
    if args.flag("pin", false)? {
        node.pin(cid, "").await?;
    }
    Ok(Json(json!({ "Key": cid.to_string(), "Size": size })))
}

async fn first_field(mut form: Multipart) -> Result<Bytes, Problem> {
    let broken = |error: axum::extract::multipart::MultipartError| {
        Problem::new(error.status(), error.body_text())
    };
    let field = form.next_field().await.map_err(broken)?;
    let mut field = field.ok_or_else(|| Problem::bad("argument \"data\" is required"))?;
    let mut data = BytesMut::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        if data.len() + chunk.len() > MAX_BLOCK {
            return Err(Problem::failed(
                "produced block is over 2MiB: other peers would refuse it",
            ));
        }
        data.extend_from_slice(&chunk);
    }
    Ok(data.freeze())
}

/// The block's bytes.
pub(super) async fn get(
    State(node): State<Node>,
    args: Args,
) -> Result<impl IntoResponse, Problem> {
    let block = node.block(&args.cid()?).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], block.inner_data().clone()))
}

/// The block's size in bytes.
pub(super) async fn stat(State(node): State<Node>, args: Args) -> Result<Json<Value>, Problem> {
    let cid = args.cid()?;
    let block = node.block(&cid).await?;
    Ok(Json(json!({ "Key": cid.to_string(), "Size": block.data().len() })))
}
