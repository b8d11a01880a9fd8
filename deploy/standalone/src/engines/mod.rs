//! The local engines: a private PostgreSQL, a bucket and an IPFS node on this machine, each speaking
//! the protocol that the services speak in a cluster. They know nothing of videos.
mod bucket;
mod folder;
mod host;
mod ipfs;
mod options;
mod postgres;
mod secret;
mod serve;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use bucket::BucketError;
pub use ipfs::IpfsError;
pub use options::{Endpoints, IpfsEndpoint, Network, Options, S3Endpoint};
pub use postgres::PostgresError;
pub use secret::Secret;

use folder::DataFolder;

/// Why the engines could not start. Nothing of what had been started is left running.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The data folder, or one in it, cannot be made or entered.
    #[error("cannot use the folder {path}: {source}")]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process runs its engines on this folder.
    #[error("another Reelpin already runs on the folder {path}")]
    InUse {
        /// Which folder.
        path: PathBuf,
    },
    /// A listener's address is taken or not ours.
    #[error("cannot listen on {address} for the {what}: {source}")]
    Bind {
        /// Which engine wanted it.
        what: &'static str,
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The database did not start.
    #[error("postgresql: {0}")]
    Postgres(#[from] PostgresError),
    /// The bucket did not start.
    #[error("bucket: {0}")]
    Bucket(#[from] BucketError),
    /// The IPFS node did not start.
    #[error("ipfs node: {0}")]
    Ipfs(#[from] IpfsError),
}

/// An engine that died while it should have run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the local {engine} died: {detail}")]
pub struct Failure {
    /// Which engine: `postgresql`, `bucket` or `ipfs node`.
    pub engine: &'static str,
    /// What is known about it, in words.
    pub detail: String,
}

/// The running engines. Dropping it kills them unkindly; prefer [`Engines::stop`].
pub struct Engines {
    endpoints: Endpoints,
    notes: Vec<String>,
    failed: watch::Receiver<Option<Failure>>,
    stop: CancellationToken,
    servers: JoinSet<()>,
    watchers: JoinSet<()>,
    node: Option<ipfs::Node>,
    postgres: Option<postgres::Postgres>,
    folder: DataFolder,
}

impl Engines {
    /// Starts what `options` wants and returns when all of it answers.
    ///
    /// # Errors
    /// As [`EngineError`] tells; everything that was started is stopped again.
    pub async fn start(options: Options) -> Result<Self, EngineError> {
        let folder = DataFolder::open(&options.data)?;
        let (report, failed) = watch::channel(None);
        let mut engines = Self {
            endpoints: Endpoints::default(),
            notes: Vec::new(),
            failed,
            stop: CancellationToken::new(),
            servers: JoinSet::new(),
            watchers: JoinSet::new(),
            node: None,
            postgres: None,
            folder,
        };
        match engines.start_each(&options, &report).await {
            Ok(()) => Ok(engines),
            Err(error) => {
                engines.stop().await;
                Err(error)
            }
        }
    }

    async fn start_each(
        &mut self,
        options: &Options,
        report: &watch::Sender<Option<Failure>>,
    ) -> Result<(), EngineError> {
        let secrets = self.folder.private("secrets")?;
        if options.want_s3 {
            let root = self.folder.private("s3")?;
            let (listener, bound) = serve::bind("bucket", options.s3_listen).await?;
            let (router, endpoint) = bucket::open(&root, &secrets, bound, options)?;
            self.endpoints.s3 = Some(endpoint);
            self.serve("bucket", listener, router, report);
        }
        if options.want_ipfs {
            let home = self.folder.private("ipfs")?;
            let (rpc, rpc_bound) = serve::bind("IPFS RPC", options.rpc_listen).await?;
            let (gateway, gateway_bound) =
                serve::bind("IPFS gateway", options.ipfs_gateway_listen).await?;
            let started = ipfs::start(&home, &secrets, rpc_bound, gateway_bound, options).await?;
            self.endpoints.ipfs = Some(started.endpoint);
            self.watchers.spawn(started.node.clone().join());
            self.node = Some(started.node);
            self.serve("ipfs node", rpc, started.rpc, report);
            self.serve("ipfs node", gateway, started.gateway, report);
        }
        if options.want_postgres {
            let postgres =
                postgres::Postgres::start(&self.folder.path, &options.search_path).await?;
            self.notes.extend(postgres.note());
            self.endpoints.database_url = Some(postgres.url());
            let (exited, report) = (postgres.exited(), report.clone());
            self.watchers.spawn(async move {
                let detail = exited.await;
                report.send_replace(Some(Failure { engine: "postgresql", detail }));
            });
            self.postgres = Some(postgres);
        }
        Ok(())
    }

    fn serve(
        &mut self,
        engine: &'static str,
        listener: TcpListener,
        router: Router,
        report: &watch::Sender<Option<Failure>>,
    ) {
        let guard = ReportEnd { engine, report: report.clone(), stop: self.stop.clone() };
        let stop = self.stop.clone();
        self.servers.spawn(async move {
            let _guard = guard;
            serve::serve(listener, router, stop).await;
        });
    }

    /// Where the engines listen and what their clients must say to be let in.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Sentences that the launcher should show the operator, such as a database kept elsewhere.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Waits until an engine dies by itself; for a `select!` beside whatever else may end the run.
    /// Cancel-safe. The engines are not started again: whoever waits decides.
    pub async fn failed(&self) -> Failure {
        let mut failed = self.failed.clone();
        match failed.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(failure)) => failure.clone(),
            _ => std::future::pending().await,
        }
    }

    /// Stops everything in order: listeners drain (up to 5 s), the node closes, the database shuts
    /// down (fast, then harder after 20 s).
    pub async fn stop(mut self) {
        self.stop.cancel();
        self.watchers.shutdown().await;
        while self.servers.join_next().await.is_some() {}
        if let Some(node) = self.node.take() {
            node.stop().await;
        }
        if let Some(postgres) = self.postgres.take() {
            postgres.stop().await;
        }
    }
}

/// Tells of a server that ended, by a panic for one, before anybody asked it to.
struct ReportEnd {
    engine: &'static str,
    report: watch::Sender<Option<Failure>>,
    stop: CancellationToken,
}

impl Drop for ReportEnd {
    fn drop(&mut self) {
        if !self.stop.is_cancelled() {
            let detail = "its server ended by itself".to_owned();
            self.report.send_replace(Some(Failure { engine: self.engine, detail }));
        }
    }
}
