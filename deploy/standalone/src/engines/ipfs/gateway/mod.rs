//! The read-only gateway: what is below published roots, from our own blocks. Files and folders by
//! name; blocks and archives of them (`?format=raw|car`) also by the CID of whatever a published root
//! reaches. An original, or a block of one, is not there, whoever asks.
mod answer;
mod format;
mod range;
mod verifiable;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use ipld_core::cid::Cid;
use tower_http::cors::{Any, CorsLayer};

use self::answer::{Answer, Refusal};
use self::format::Format;
use self::verifiable::PROBE;
use super::Node;
use super::file::{self, Kind};
use super::resolve::{Resolved, resolve};
use crate::engines::host::{self, Hosts};

/// `/ipfs/{root}` and everything below it.
pub(super) fn router(node: Node, hosts: Hosts) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([header::ACCEPT, header::RANGE, header::IF_NONE_MATCH])
        .expose_headers([
            header::CONTENT_DISPOSITION,
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
    let format = format::asked(&asked.uri, &asked.headers)?;
    if root == PROBE && format != Format::File {
        return Ok(verifiable::probed(format == Format::Raw));
    }
    let root = Cid::try_from(root).map_err(|_| Refusal::NotFound)?;
    let public = match format {
        Format::File => node.roots().is_published(&root),
        Format::Raw | Format::Car { .. } => node.is_public(&root).await?,
    };
    if !public {
        return Err(Refusal::NotFound);
    }
    let Resolved { trail, read } = resolve(&node, root, path).await?;
    let cid = trail.last().copied().unwrap_or(root);
    let answer = Answer { asked, cid, trail: &trail };
    match format {
        Format::File => match file::look(&node, cid).await? {
            Kind::File { size } => Ok(answer.file(node, size)),
            Kind::Folder => Ok(answer.folder(file::list(&node, cid).await?)),
        },
        Format::Raw => answer.raw(node).await,
        Format::Car { scope, dups } => answer.car(node, read, scope, dups).await,
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
