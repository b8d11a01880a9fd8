//! Everything on one machine in one process: the local engines that are not named by a setting, the
//! gateway and one worker, from start to a clean stop.

mod wiring;

use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use reelpin_gateway::GatewayError;
use reelpin_schema::ambient::Ambient;
use reelpin_schema::bucket::{Bucket, BucketError};
use reelpin_schema::db::{Db, DbError};
use reelpin_schema::ipfs::{IpfsError, Limits, Node};
use reelpin_schema::pinning::{self, ServiceError, Services};
use reelpin_schema::queue::Queue;
use reelpin_schema::settings::{self, SettingsError, Source};
use reelpin_transcoder::confine::{ConfineError, Toolbox};
use reelpin_transcoder::{Collaborators, RunError};
use tokio::net::TcpListener;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::engines::{EngineError, Engines, Failure};

/// How long gateway and worker may take to end before the engines are stopped under them.
const GRACE: Duration = Duration::from_secs(15);

/// What the command line tells beside the settings.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder for everything that is kept.
    pub data: PathBuf,
    /// Folder of the web app.
    pub web: PathBuf,
    /// The value of `PATH`, where programs are looked for.
    pub search_path: OsString,
}

/// Why Reelpin did not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The address of page and API.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which address.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A local engine did not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A local engine died.
    #[error("{0}")]
    Died(Failure),
    /// The database.
    #[error("database: {0}")]
    Db(#[from] DbError),
    /// The bucket.
    #[error("bucket: {0}")]
    Bucket(#[from] BucketError),
    /// The IPFS node.
    #[error("IPFS: {0}")]
    Ipfs(#[from] IpfsError),
    /// A pinning service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// ffmpeg is missing.
    #[error(transparent)]
    Tools(#[from] ConfineError),
    /// The gateway.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The worker.
    #[error(transparent)]
    Worker(#[from] RunError),
    /// A part of this process panicked.
    #[error("a part of this process panicked: {0}")]
    Panic(#[from] JoinError),
}

/// Runs until `stop` is cancelled or something dies; `ready` is called with the page's URL when all
/// of it answers, and `note` with sentences for the operator.
///
/// # Errors
/// [`LaunchError`]; everything that was started is stopped again.
pub async fn run(
    mut source: Source,
    options: Options,
    stop: CancellationToken,
    ready: impl FnOnce(&str),
    note: impl Fn(&str),
) -> Result<(), LaunchError> {
    let toolbox = Toolbox::find(&options.search_path)?;
    let mut gateway = settings::Gateway::read(&mut source, options.web.clone());
    let local = wiring::local_engines(&mut source, &options);
    for name in source.unknown() {
        note(&format!("{name} is not a setting of Reelpin; is it misspelt?"));
    }
    // Before anything listens, is made or talks to others.
    source.check()?;
    let listener = TcpListener::bind(gateway.listen)
        .await
        .map_err(|source| LaunchError::Listen { address: gateway.listen, source })?;
    wiring::listened(&source, &mut gateway, &listener);
    let engines = Engines::start(wiring::for_pages(local, &gateway)).await?;
    for sentence in engines.notes() {
        note(sentence);
    }
    let served = serve(source, &options, gateway, listener, toolbox, &engines, stop, ready).await;
    engines.stop().await;
    served
}

#[expect(clippy::too_many_arguments, reason = "the one place where everything meets")]
async fn serve(
    mut source: Source,
    options: &Options,
    gateway: settings::Gateway,
    listener: TcpListener,
    toolbox: Toolbox,
    engines: &Engines,
    stop: CancellationToken,
    ready: impl FnOnce(&str),
) -> Result<(), LaunchError> {
    wiring::fill(&mut source, engines.endpoints());
    let reached = settings::Engines::read(&mut source);
    let worker = settings::Transcoder::read(&mut source, options.data.join("work"));
    source.done()?;

    let db = Db::new(&reached.database)?;
    let pool = db.clone();
    db.migrate().await?;
    let bucket = Bucket::new(&reached.bucket);
    bucket.check().await?;
    let queue = Queue::of(reached.queue.clone());
    let ipfs = reached.ipfs.as_ref();
    let node = ipfs.map(|ipfs| Node::configured(ipfs, Limits::default())).transpose()?;

    // The local one is told at its start.
    if engines.endpoints().s3.is_none() {
        reelpin_gateway::let_upload(&bucket, &gateway).await;
    }
    let url = gateway.public_url.clone();
    let config = reelpin_gateway::Config {
        ipfs_gateway: ipfs.and_then(|i| i.gateway.clone()),
        upload_endpoint: reached.bucket.upload_endpoint(),
        settings: gateway,
    };
    let named = ipfs.map_or(&[][..], |ipfs| &ipfs.services);
    let services = Services::new(named, pinning::Limits::default())?;
    let own_node = engines.endpoints().ipfs.is_some();
    let shared = reelpin_gateway::Engines {
        db: db.clone(),
        bucket: bucket.clone(),
        queue: queue.clone(),
        node: node.clone(),
        ambient: Ambient::system(),
        upload_once: bucket.honours_once().await?,
        own_node,
        services: services.clone(),
    };
    let collaborators = Collaborators {
        db,
        bucket,
        node,
        pin_original: ipfs.is_some_and(|i| i.pin_original),
        own_node,
        services,
        queue,
        ambient: Ambient::system(),
    };
    let inner = stop.child_token();
    let gateway = reelpin_gateway::run(config, shared, listener, inner.clone());
    let working = {
        let inner = inner.clone();
        async move {
            reelpin_transcoder::run(collaborators, toolbox, worker.work, worker.name, inner).await
        }
    };
    let mut parts = tokio::task::JoinSet::new();
    parts.spawn(async move { gateway.await.map_err(LaunchError::from) });
    parts.spawn(async move { working.await.map_err(LaunchError::from) });
    ready(&url);
    let first = tokio::select! {
        failure = engines.failed() => Err(LaunchError::Died(failure)),
        ended = parts.join_next() => flat(ended),
        () = stop.cancelled() => Ok(()),
    };
    inner.cancel();
    let rest = async {
        let mut result = first;
        while let Some(ended) = parts.join_next().await {
            result = result.and(flat(Some(ended)));
        }
        result
    };
    let result = bounded(rest).await;
    pool.close();
    result
}

async fn bounded(rest: impl Future<Output = Result<(), LaunchError>>) -> Result<(), LaunchError> {
    tokio::time::timeout(GRACE, rest).await.unwrap_or_else(|_| {
        tracing::warn!("not everything ended in time; what was at work goes on at the next start");
        Ok(())
    })
}

fn flat(ended: Option<Result<Result<(), LaunchError>, JoinError>>) -> Result<(), LaunchError> {
    ended.map_or(Ok(()), |joined| joined?)
}
