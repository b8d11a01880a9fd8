//! `reelpin serve` runs everything on this machine; `reelpin upload` sends films to a Reelpin.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use reelpin_schema::settings::Source;
use reelpin_standalone::{client, launch};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Self-hosted video: upload, transcode, play and pin.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the local engines, the gateway and a worker until Ctrl-C.
    Serve {
        /// Folder for everything that is kept (`REELPIN_DATA`).
        #[arg(long)]
        data: Option<PathBuf>,
        /// Folder of the web app (`REELPIN_WEB`).
        #[arg(long)]
        web: Option<PathBuf>,
    },
    /// Uploads films as a browser would, and waits until they can be watched.
    Upload {
        /// Address of the page.
        #[arg(long, default_value = "http://127.0.0.1:8080")]
        url: String,
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("REELPIN_LOG").unwrap_or_else(|_| {
        EnvFilter::new(
            "warn,reelpin=info,reelpin_transcoder=info,deadpool.postgres=error,s3s=off,pulsar=off",
        )
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return told(&error),
    };
    let done = match Cli::parse().command {
        Command::Serve { data, web } => runtime.block_on(serve(data, web)),
        Command::Upload { url, files } => runtime.block_on(upload(&url, &files)),
    };
    // What is still at work was given its time; a blocked thread does not hold the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    done.unwrap_or_else(|error| told(error.as_ref()))
}

fn told(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("reelpin: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        eprintln!("  because: {inner}");
        cause = inner.source();
    }
    ExitCode::FAILURE
}

async fn serve(data: Option<PathBuf>, web: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let env: Vec<(String, String)> = std::env::vars().collect();
    let find = |name: &str| env.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    let file = find("REELPIN_CONFIG").map(std::fs::read_to_string).transpose()?;
    let source = Source::new(env.clone(), file.as_deref())?;
    let setting = |name: &str, default: &str| {
        source.get(name).map_or_else(|| PathBuf::from(default), PathBuf::from)
    };
    let options = launch::Options {
        data: std::path::absolute(data.unwrap_or_else(|| setting("REELPIN_DATA", ".reelpin")))?,
        web: std::path::absolute(web.unwrap_or_else(|| setting("REELPIN_WEB", "web")))?,
        search_path: std::env::var_os("PATH").unwrap_or_default(),
    };
    let stop = CancellationToken::new();
    let mut signals = tokio::task::JoinSet::new();
    signals.spawn(until_signal(stop.clone()));
    let ready = |url: &str| println!("Reelpin is ready: {url}/");
    launch::run(source, options, stop, ready, |sentence| println!("{sentence}")).await?;
    println!("Reelpin has stopped.");
    Ok(ExitCode::SUCCESS)
}

/// The first signal stops cleanly, the second at once.
async fn until_signal(stop: CancellationToken) {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    for first in [true, false] {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if first {
            eprintln!("Stopping. Once more ends it at once.");
            stop.cancel();
        }
    }
    std::process::exit(130);
}

async fn upload(url: &str, files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let key = std::env::vars().find(|(name, _)| name == "REELPIN_API_KEY").map(|(_, value)| value);
    let summary = client::upload(url, key.as_deref(), files).await?;
    Ok(if summary.n_failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
