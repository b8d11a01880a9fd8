//! Reelpin's HTTP API, its feed, its pages, and the search for finished uploads.
//!
//! | module | owns |
//! |---|---|
//! | `router` | the list of routes |
//! | `serve` | connections: their limits and their graceful end |
//! | `edge` | what every request passes: id, log, metrics, panics, the words of a problem |
//! | `problem` | every error's code and status |
//! | `extract` | reading requests within limits |
//! | `guard` | Host, Origin and the key |
//! | `steps` | the steps that a scheduler may drive |
//! | `upload` | tickets, finished uploads, the search for them |
//! | `video` | records, lists and what changes them |
//! | `playback` | playlists, segments, MP4s, posters |
//! | `feed` | the WebSocket |
//! | `relay` | the order of all events, and what was not announced |
//! | `janitor` | what nobody needs goes |
//! | `task` | dead letters |
//! | `page`, `pages` | the web app's files, and their leave to upload |
//! | `check` | every engine tried with the given settings, in words |
//! | `health`, `metrics`, `openapi`, `info` | one endpoint each |
//!
//! An upload's bytes never pass through here, and an original is never served.

mod app;
pub mod check;
mod edge;
mod engines;
mod extract;
mod feed;
mod guard;
mod health;
mod info;
mod janitor;
mod metrics;
mod openapi;
mod page;
mod pages;
mod playback;
mod problem;
mod relay;
mod router;
mod serve;
pub mod sql;
pub mod steps;
mod task;
mod upload;
mod video;

use std::sync::Arc;

use reelpin_schema::settings;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use engines::Engines;
pub use openapi::document as openapi_document;
pub use pages::{let_upload, origins};

/// What the gateway is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Addresses, key and folder of the web app.
    pub settings: settings::Gateway,
    /// URL of the IPFS gateway as browsers reach it, for the page.
    pub ipfs_gateway: Option<String>,
    /// URL that upload addresses begin with, for the page's Content-Security-Policy.
    pub upload_endpoint: String,
}

/// Why the gateway ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// A public URL in the settings cannot be read.
    #[error("{name} is not an http or https URL: {url}")]
    Url {
        /// The setting.
        name: &'static str,
        /// Its value.
        url: String,
    },
    /// The listening socket failed.
    #[error("the listener failed: {0}")]
    Listen(#[from] std::io::Error),
    /// A task of the gateway's own panicked.
    #[error("the gateway's {task} ended unexpectedly")]
    Task {
        /// Which.
        task: &'static str,
    },
}

/// Serves until `stop` is cancelled; then ends within [`serve::GRACE`] and a second.
///
/// # Errors
/// [`GatewayError`].
pub async fn run(
    config: Config,
    engines: Engines,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), GatewayError> {
    // A child, so that an end of our own stops our tasks and not the caller's.
    let stop = stop.child_token();
    let _ended = stop.clone().drop_guard();
    let hub = feed::Hub::new(engines.db.clone());
    let (handle, queue) = (hub.handle(), engines.queue.clone());
    let app =
        Arc::new(app::App::new(config, engines, handle, listener.local_addr()?, stop.clone())?);
    let mut tasks: JoinSet<&'static str> = JoinSet::new();
    let token = stop.clone();
    tasks.spawn(async move {
        feed::run::run(hub, queue, token).await;
        "feed hub"
    });
    let finder = app.clone();
    tasks.spawn(async move {
        upload::finder::run(&finder).await;
        "finder"
    });
    let relay = app.clone();
    tasks.spawn(async move {
        relay::run::run(&relay).await;
        "relay"
    });
    let mode = match app.config.settings.janitor {
        settings::Janitor::On => Some(janitor::Mode::Wet),
        settings::Janitor::DryRun => Some(janitor::Mode::Dry),
        settings::Janitor::Off => None,
    };
    if let Some(mode) = mode {
        let app = app.clone();
        tasks.spawn(async move {
            janitor::run::run(&app, mode).await;
            "janitor"
        });
    }
    tasks.spawn({
        let token = stop.clone();
        async move {
            metrics::upkeep(token).await;
            "metrics"
        }
    });
    let router = router::router(app.clone());
    let served = tokio::select! {
        served = serve::serve(listener, router, &stop) => served.map_err(GatewayError::from),
        ended = tasks.join_next() => {
            let task = ended.and_then(Result::ok).unwrap_or("task");
            if stop.is_cancelled() { Ok(()) } else { Err(GatewayError::Task { task }) }
        }
    };
    stop.cancel();
    app.sockets.close();
    let ends = async {
        app.sockets.wait().await;
        while tasks.join_next().await.is_some() {}
    };
    // What does not end in time is aborted by dropping `tasks`.
    let _ = tokio::time::timeout(serve::GRACE, ends).await;
    served
}
