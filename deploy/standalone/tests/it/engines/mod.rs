//! The local engines, started for real in a temporary folder.
mod bucket;
mod damage;
mod gateway;
mod lifecycle;
mod postgres;
mod rpc;
mod swarm;
mod trustless;
mod upgrade;
mod users;

use std::path::Path;

use reelpin_standalone::engines::{Endpoints, EngineError, Engines, Options};
use tempfile::TempDir;

/// A data folder that PostgreSQL's user can reach, since the folder itself is the data folder.
fn data() -> TempDir {
    tempfile::Builder::new().prefix("reelpin-engines-").tempdir().unwrap()
}

fn options(data: &Path) -> Options {
    Options::local(data.to_owned(), std::env::var_os("PATH").unwrap_or_default())
}

async fn start_all(data: &Path) -> Engines {
    Engines::start(options(data)).await.unwrap()
}

async fn start_ipfs(data: &Path) -> Engines {
    let options = Options { want_postgres: false, want_s3: false, ..options(data) };
    Engines::start(options).await.unwrap()
}

async fn start_bucket(data: &Path) -> Engines {
    let options = Options {
        want_postgres: false,
        want_ipfs: false,
        allowed_origins: vec!["http://127.0.0.1:8080".to_owned()],
        ..options(data)
    };
    Engines::start(options).await.unwrap()
}

async fn start_postgres(data: &Path) -> Result<Engines, EngineError> {
    Engines::start(Options { want_s3: false, want_ipfs: false, ..options(data) }).await
}

/// Runs `statement` and gives the first column of its first row, if there is one.
async fn ask(endpoints: &Endpoints, statement: &str) -> Option<String> {
    let url = endpoints.database_url.as_ref().unwrap().expose();
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::select! {
        rows = client.simple_query(statement) => rows.unwrap().into_iter().find_map(|row| match row {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        }),
        ended = connection => panic!("the connection ended: {ended:?}"),
    }
}
