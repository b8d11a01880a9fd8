//! `GET /metrics`: counts and durations in Prometheus' text form.

use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::State;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use crate::app::Shared;
use crate::problem::{Code, Problem};

pub(crate) type Handle = PrometheusHandle;

const REQUESTS: &str = "reelpin_http_requests_total";
const DURATION: &str = "reelpin_http_request_duration_seconds";
const SOCKETS: &str = "reelpin_websockets_open";

/// Seconds; from a row's look-up to a stuck engine's time limit.
const BUCKETS: &[f64] =
    &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// How often the exporter folds what was recorded.
const UPKEEP: Duration = Duration::from_secs(5);

/// The recorder is the process's: the first gateway in it installs it, others share it.
static HANDLE: OnceLock<Option<Handle>> = OnceLock::new();

/// Installs the recorder once; `None` when something else of this process has its own.
pub(crate) fn install() -> Option<Handle> {
    HANDLE
        .get_or_init(|| {
            let installed = PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), BUCKETS)
                .and_then(PrometheusBuilder::install_recorder);
            match installed {
                Ok(handle) => {
                    describe();
                    Some(handle)
                }
                Err(e) => {
                    tracing::warn!("metrics are off: {e}");
                    None
                }
            }
        })
        .clone()
}

fn describe() {
    metrics::describe_counter!(REQUESTS, "Answered requests by route, method and status.");
    metrics::describe_histogram!(
        DURATION,
        metrics::Unit::Seconds,
        "Time from a request's head to its answer's head."
    );
    metrics::describe_gauge!(SOCKETS, "Open WebSockets of the feed.");
}

/// Counts an answered request.
pub(crate) fn request(method: &Method, route: &str, status: u16, took: Duration) {
    // Whatever word a client takes for a method must not become a series of its own.
    let method = match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    let route = route.to_owned();
    metrics::counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!(DURATION, "method" => method, "route" => route).record(took.as_secs_f64());
}

/// An open WebSocket; it counts as open until this is dropped.
pub(crate) struct OpenSocket;

impl OpenSocket {
    pub(crate) fn count() -> Self {
        metrics::gauge!(SOCKETS).increment(1);
        Self
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        metrics::gauge!(SOCKETS).decrement(1);
    }
}

/// Keeps the exporter's memory bounded until `stop`.
pub(crate) async fn upkeep(stop: CancellationToken) {
    let mut tick = tokio::time::interval(UPKEEP);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {
                if let Some(Some(handle)) = HANDLE.get() {
                    handle.run_upkeep();
                }
            }
        }
    }
}

/// Counters, gauges and histograms of this process.
#[utoipa::path(
    get, path = "/metrics", tag = "service",
    responses(
        (status = 200, description = "Prometheus' text form", body = String, content_type = "text/plain"),
        Problems
    )
)]
pub(crate) async fn get(State(app): State<Shared>) -> Result<Response, Problem> {
    let handle = app.metrics.as_ref().ok_or_else(|| {
        Problem::new(
            Code::NotReady,
            "Metrics are recorded elsewhere in this process.",
            "Look at the server's log.",
        )
    })?;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], handle.render()).into_response())
}

crate::openapi::problems!(Problems: NotReady);
