//! The read-only gateway: what is below published roots, by name, from our own blocks. An original,
//! or a block by its own CID, is not there, whoever asks.
mod answer;
mod range;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use ipld_core::cid::Cid;
use tower_http::cors::{Any, CorsLayer};

use self::answer::{Answer, Refusal};
use super::Node;
use super::file::{self, Kind};
use super::resolve::resolve;
use crate::engines::host::{self, Hosts};

/// `/ipfs/{root}` and everything below it.
pub(super) fn router(node: Node, hosts: Hosts) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([header::RANGE, header::IF_NONE_MATCH])
        .expose_headers([
            header::CONTENT_LENGTH,
            header::CONTENT_RANGE,
            header::ETAG,
            answer::IPFS_PATH,
            answer::IPFS_ROOTS,
        ]);
    Router::new()
        .route("/ipfs/{root}", get(root))
        .route("/ipfs/{root}/", get(root))
        .route("/ipfs/{root}/{*path}", get(below))
        .fallback(async || Refusal::NotFound)
        .layer(cors)
        .layer(from_fn(harmless))
        .layer(from_fn_with_state(hosts, host::check))
        .with_state(node)
}

/// What answers need of a request.
#[derive(axum::extract::FromRequestParts)]
struct Asked {
    headers: HeaderMap,
    uri: Uri,
}

async fn root(
    State(node): State<Node>,
    Path(root): Path<String>,
    asked: Asked,
) -> Result<Response, Refusal> {
    serve(node, &root, "", asked).await
}

async fn below(
    State(node): State<Node>,
    Path((root, path)): Path<(String, String)>,
    asked: Asked,
) -> Result<Response, Refusal> {
    serve(node, &root, &path, asked).await
}

async fn serve(node: Node, root: &str, path: &str, asked: Asked) -> Result<Response, Refusal> {
    let root = Cid::try_from(root).map_err(|_| Refusal::NotFound)?;
    if !node.roots().is_published(&root) {
        return Err(Refusal::NotFound);
    }
    let trail = resolve(&node, root, path).await?;
    let cid = trail.last().copied().unwrap_or(root);
    let kind = file::look(&node, cid).await?;
    let answer = Answer { asked, cid, trail: &trail };
    match kind {
        Kind::File { size } => Ok(answer.file(node, size)),
        Kind::Folder { links } => Ok(answer.folder(links)),
    }
}

/// Nothing that anybody published may run as a page of this origin.
async fn harmless(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
