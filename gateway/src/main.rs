//! The gateway as a service of a cluster: settings from the environment, engines elsewhere.

use std::path::PathBuf;

use anyhow::Context as _;
use reelpin_gateway::{Config, Engines};
use reelpin_schema::ambient::Ambient;
use reelpin_schema::bucket::Bucket;
use reelpin_schema::db::Db;
use reelpin_schema::ipfs::{Limits, Node};
use reelpin_schema::queue::Queue;
use reelpin_schema::settings::{self, Source};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_env("REELPIN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let env: Vec<(String, String)> = std::env::vars().collect();
    let file = env.iter().find(|(name, _)| name == "REELPIN_CONFIG").map(|(_, path)| path);
    let file = file
        .map(|path| std::fs::read_to_string(path).with_context(|| format!("reading {path}")))
        .transpose()?;
    let mut source = Source::new(env, file.as_deref())?;
    let engines = settings::Engines::read(&mut source);
    let gateway = settings::Gateway::read(&mut source, PathBuf::from("web"));
    source.done()?;

    let db = Db::new(&engines.database)?;
    db.migrate().await.context("migrating the database")?;
    let bucket = Bucket::new(&engines.bucket);
    let upload_once = bucket.honours_once().await.unwrap_or_else(|e| {
        tracing::warn!(
            "finished uploads are copied: whether the bucket keeps them is not known ({e})"
        );
        false
    });
    let node = engines.ipfs.as_ref().map(|ipfs| {
        let credentials =
            ipfs.credentials.as_ref().map(|(user, secret)| (user.as_str(), secret.expose()));
        Node::new(&ipfs.rpc, credentials, Limits::default())
    });
    let listener = TcpListener::bind(gateway.listen)
        .await
        .with_context(|| format!("listening on {}", gateway.listen))?;
    tracing::info!("listening on {}", gateway.public_url);
    let config = Config {
        settings: gateway,
        ipfs_gateway: engines.ipfs.and_then(|ipfs| ipfs.gateway),
        s3_public_endpoint: engines.bucket.public_endpoint,
    };
    let stop = CancellationToken::new();
    let engines = Engines {
        db,
        bucket,
        queue: Queue::in_process(),
        node: node.transpose()?,
        ambient: Ambient::system(),
        upload_once,
        own_node: false,
    };
    let serving = reelpin_gateway::run(config, engines, listener, stop.clone());
    let mut serving = std::pin::pin!(serving);
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = serving.as_mut() => return Ok(ended?),
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    stop.cancel();
    Ok(serving.await?)
}
