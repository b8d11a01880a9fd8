//! What the handlers share.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::feed;
use crate::guard::Guard;
use crate::page::Pages;
use crate::playback::{alive, live, sizes};
use crate::{Config, Engines, GatewayError, metrics, openapi};

/// The state of the router.
pub(crate) type Shared = Arc<App>;

pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) engines: Engines,
    pub(crate) guard: Guard,
    pub(crate) hub: feed::Handle,
    pub(crate) pages: Pages,
    pub(crate) alive: alive::Cache,
    pub(crate) sizes: sizes::Cache,
    pub(crate) live: live::Cache,
    pub(crate) openapi: Bytes,
    pub(crate) metrics: Option<metrics::Handle>,
    /// Open WebSockets.
    pub(crate) sockets: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl App {
    pub(crate) fn new(
        config: Config,
        engines: Engines,
        hub: feed::Handle,
        listen: SocketAddr,
        stop: CancellationToken,
    ) -> Result<Self, GatewayError> {
        let guard = Guard::new(&config.settings, listen)?;
        let pages = Pages::new(&config);
        Ok(Self {
            config,
            engines,
            guard,
            hub,
            pages,
            alive: alive::Cache::default(),
            sizes: sizes::Cache::default(),
            live: live::Cache::default(),
            openapi: Bytes::from(serde_json::to_vec(&openapi::document()).unwrap_or_default()),
            metrics: metrics::install(),
            sockets: TaskTracker::new(),
            stop,
        })
    }
}
