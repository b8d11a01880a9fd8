//! The worker as a process of its own, for a cluster: settings from the environment, until SIGTERM.

use std::path::PathBuf;

use anyhow::Context as _;
use reelpin_schema::ambient::Ambient;
use reelpin_schema::bucket::Bucket;
use reelpin_schema::db::Db;
use reelpin_schema::ipfs::{Limits, Node};
use reelpin_schema::pinning::{self, Services};
use reelpin_schema::queue::Queue;
use reelpin_schema::settings::{self, Source};
use reelpin_transcoder::Collaborators;
use reelpin_transcoder::confine::Toolbox;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_env("REELPIN_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,reelpin_transcoder=info,pulsar=off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    let env: Vec<(String, String)> = std::env::vars().collect();
    let file = env.iter().find(|(name, _)| name == "REELPIN_CONFIG");
    let file = file.map(|(_, path)| std::fs::read_to_string(path)).transpose()?;
    let mut source = Source::new(env, file.as_deref())?;
    let engines = settings::Engines::read(&mut source);
    let own = settings::Transcoder::read(&mut source, PathBuf::from("/var/tmp/reelpin"));
    source.done()?;

    let db = Db::new(&engines.database)?;
    db.migrate().await.context("the database")?;
    let node = engines.ipfs.as_ref().map(|ipfs| Node::configured(ipfs, Limits::default()));
    let named = engines.ipfs.as_ref().map_or(&[][..], |ipfs| &ipfs.services);
    let services = Services::new(named, pinning::Limits::default())?;
    let collaborators = Collaborators {
        db,
        bucket: Bucket::new(&engines.bucket),
        node: node.transpose()?,
        pin_original: engines.ipfs.as_ref().is_some_and(|ipfs| ipfs.pin_original),
        services,
        own_node: false,
        queue: Queue::of(engines.queue.clone()),
        ambient: Ambient::system(),
    };
    let toolbox = Toolbox::find(&std::env::var_os("PATH").unwrap_or_default())?;
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let work = reelpin_transcoder::run(collaborators, toolbox, own.work, own.name, stop);
    tokio::pin!(work);
    tokio::select! {
        ended = &mut work => return Ok(ended?),
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    stopped.cancel();
    Ok(work.await?)
}
