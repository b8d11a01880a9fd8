//! The part of Kubo's RPC that our client sends: POST below `/api/v0`, with a credential, never from
//! a browser.
mod args;
mod block;
mod guard;
mod pin;
mod problem;
mod read;
mod repo;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::post;

pub(super) use self::guard::Credential;
use self::problem::Problem;
use super::Node;
use crate::engines::host::{self, Hosts};

/// Kubo's own limit of a block that other peers accept.
const MAX_BLOCK: usize = 2 << 20;
/// What a multipart form adds to the block in it.
const FORM_OVERHEAD: usize = 64 << 10;

/// Every call there is.
pub(super) fn router(node: Node, credential: Credential, hosts: Hosts) -> Router {
    let calls = Router::new()
        .route("/version", post(repo::version))
        .route("/id", post(repo::id))
        .route("/block/put", post(block::put))
        .route("/block/get", post(block::get))
        .route("/block/stat", post(block::stat))
        .route("/cat", post(read::cat))
        .route("/ls", post(read::ls))
        .route("/pin/add", post(pin::add))
        .route("/pin/ls", post(pin::ls))
        .route("/pin/rm", post(pin::rm))
        .route("/repo/stat", post(repo::stat))
        .route("/stats/repo", post(repo::stat))
        .route("/swarm/peers", post(repo::peers))
        .route("/swarm/connect", post(repo::connect))
        .route("/repo/gc", post(repo::gc));
    Router::new()
        .nest("/api/v0", calls)
        .fallback(Problem::no_such_call)
        .method_not_allowed_fallback(Problem::post_only)
        .layer(DefaultBodyLimit::max(MAX_BLOCK + FORM_OVERHEAD))
        .layer(from_fn_with_state(credential, guard::check_credential))
        .layer(from_fn(guard::refuse_browsers))
        .layer(from_fn_with_state(hosts, host::check))
        .with_state(node)
}
