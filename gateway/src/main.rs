//! The gateway as a service of a cluster: settings from the environment, engines elsewhere.
//! `janitor` tidies up once instead of serving.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use reelpin_gateway::check::check;
use reelpin_gateway::steps::{Janitor, Mode};
use reelpin_gateway::{Config, Engines};
use reelpin_schema::ambient::Ambient;
use reelpin_schema::bucket::Bucket;
use reelpin_schema::db::Db;
use reelpin_schema::ipfs::{Limits, Node};
use reelpin_schema::pinning::{self, Services};
use reelpin_schema::queue::Queue;
use reelpin_schema::settings::{self, Source};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Reelpin's HTTP API. It is set up by environment variables; see the README.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Tries every engine with the given settings, and says what works, what is missing and what
    /// that means.
    Check,
    /// Looks at everything once, removes what nobody needs, and says what that was.
    Janitor {
        /// Only say what would be removed.
        #[arg(long)]
        dry_run: bool,
    },
    /// Prints everything that is ever sent to the database. Needs no settings and no database.
    Sql {
        /// As a JSON array of objects with kind, name and sql.
        #[arg(long)]
        json: bool,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    if let Some(Command::Sql { json }) = cli.command {
        reelpin_gateway::sql::print(std::io::stdout().lock(), json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let filter = EnvFilter::try_from_env("REELPIN_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,pulsar=off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let env: Vec<(String, String)> = std::env::vars().collect();
    let file = env.iter().find(|(name, _)| name == "REELPIN_CONFIG").map(|(_, path)| path);
    let file = file
        .map(|path| std::fs::read_to_string(path).with_context(|| format!("reading {path}")))
        .transpose()?;
    let mut source = Source::new(env, file.as_deref())?;
    let engines = settings::Engines::read(&mut source);
    let gateway = settings::Gateway::read(&mut source, PathBuf::from("web"));
    let unknown: Vec<String> = source.unknown().iter().map(|name| (*name).to_owned()).collect();
    source.done()?;
    if let Some(Command::Check) = cli.command {
        let mut out = std::io::stdout();
        for name in unknown {
            writeln!(out, "{name} is not a setting of Reelpin; is it misspelt?")?;
        }
        let report = check(&engines, &gateway).await;
        writeln!(out, "{report}")?;
        return Ok(if report.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    for name in unknown {
        tracing::warn!("{name} is not a setting of Reelpin; is it misspelt?");
    }

    let db = Db::new(&engines.database)?;
    if !matches!(cli.command, Some(Command::Janitor { dry_run: true })) {
        db.migrate().await.context("migrating the database")?;
    }
    let bucket = Bucket::new(&engines.bucket);
    let node = engines.ipfs.as_ref().map(|ipfs| Node::configured(ipfs, Limits::default()));
    let named = engines.ipfs.as_ref().map_or(&[][..], |ipfs| &ipfs.services);
    let mut shared = Engines {
        db,
        bucket,
        queue: Queue::of(engines.queue.clone()),
        node: node.transpose()?,
        ambient: Ambient::system(),
        upload_once: false,
        own_node: false,
        services: Services::new(named, pinning::Limits::default())?,
    };
    if let Some(Command::Janitor { dry_run }) = cli.command {
        tidy(&shared, if dry_run { Mode::Dry } else { Mode::Wet }).await?;
        return Ok(ExitCode::SUCCESS);
    }
    shared.upload_once = shared.bucket.honours_once().await.unwrap_or_else(|e| {
        tracing::warn!(
            "finished uploads are copied: whether the bucket keeps them is not known ({e})"
        );
        false
    });
    reelpin_gateway::let_upload(&shared.bucket, &gateway).await;
    let listener = TcpListener::bind(gateway.listen)
        .await
        .with_context(|| format!("listening on {}", gateway.listen))?;
    tracing::info!("listening on {}", gateway.public_url);
    let config = Config {
        settings: gateway,
        ipfs_gateway: engines.ipfs.and_then(|ipfs| ipfs.gateway),
        upload_endpoint: engines.bucket.upload_endpoint(),
    };
    let stop = CancellationToken::new();
    let serving = reelpin_gateway::run(config, shared, listener, stop.clone());
    let mut serving = std::pin::pin!(serving);
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = serving.as_mut() => return Ok(ended.map(|()| ExitCode::SUCCESS)?),
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    stop.cancel();
    serving.await?;
    Ok(ExitCode::SUCCESS)
}

/// One walk of a janitor through everything; tells each thing on a line.
async fn tidy(engines: &Engines, mode: Mode) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let mut janitor = Janitor::new(engines, mode).from_the_beginning();
    let word = if mode == Mode::Dry { "would remove" } else { "removed" };
    let mut count = 0;
    loop {
        let report = janitor.page().await?;
        if mode == Mode::Wet && !report.leading {
            bail!("a gateway's janitor is at work; REELPIN_JANITOR=off keeps it from that");
        }
        for item in &report.items {
            writeln!(out, "{word} {item}")?;
        }
        count += report.items.len();
        if let Some(trouble) = report.trouble {
            bail!(trouble);
        }
        if report.walked {
            break;
        }
    }
    writeln!(out, "{word} {count} in all")?;
    Ok(janitor.end().await?)
}
