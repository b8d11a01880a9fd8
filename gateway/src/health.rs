//! `GET /health/live` and `/health/ready`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::openapi::problems;
use crate::problem::{Code, Problem};

/// The longest that database and bucket may take to answer.
const WAIT: Duration = Duration::from_secs(2);

/// How it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    status: &'static str,
}

/// The process answers.
#[utoipa::path(
    get, path = "/health/live", tag = "service",
    responses((status = 200, description = "It lives", body = Health))
)]
pub(crate) async fn live() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Database and bucket answer.
#[utoipa::path(
    get, path = "/health/ready", tag = "service",
    responses((status = 200, description = "It can serve", body = Health), Problems)
)]
pub(crate) async fn ready(State(app): State<Shared>) -> Result<Json<Health>, Problem> {
    let database = tokio::time::timeout(WAIT, app.engines.db.ping());
    let bucket = tokio::time::timeout(WAIT, app.engines.bucket.check());
    let (database, bucket) = tokio::join!(database, bucket);
    let mut away = Vec::new();
    if !matches!(database, Ok(Ok(()))) {
        away.push("the database");
    }
    if !matches!(bucket, Ok(Ok(()))) {
        away.push("the bucket");
    }
    if away.is_empty() {
        return Ok(Json(Health { status: "ok" }));
    }
    let away = away.join(" and ");
    tracing::warn!("not ready: no answer from {away}");
    Err(Problem::new(
        Code::NotReady,
        format!("No answer from {away}."),
        "Wait; the server is ready again as soon as they answer.",
    ))
}

problems!(Problems: NotReady);
