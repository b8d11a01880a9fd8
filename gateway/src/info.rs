//! `GET /config`: what the page has to know before it can ask for anything.

use axum::Json;
use axum::extract::State;
use reelpin_schema::settings::MAX_UPLOAD;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;

/// What a client has to know.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Info {
    /// Whether guarded calls need the API key.
    needs_key: bool,
    /// Bytes of the largest upload.
    max_file_size: u64,
    /// URL of the IPFS gateway.
    ipfs_gateway: Option<String>,
}

/// What a client has to know.
#[utoipa::path(
    get, path = "/config", tag = "service",
    responses((status = 200, description = "Facts for a client", body = Info))
)]
pub(crate) async fn get(State(app): State<Shared>) -> Json<Info> {
    Json(Info {
        needs_key: app.guard.needs_key(),
        max_file_size: MAX_UPLOAD,
        ipfs_gateway: app.config.ipfs_gateway.clone(),
    })
}
