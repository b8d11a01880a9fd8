//! Waits for the database by connecting to it, and makes the one database that we use.
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use super::child::Child;
use super::place::Place;
use super::{NAME, PORT, PostgresError, READY_WITHIN};
use crate::engines::Secret;

const TRY_AGAIN: Duration = Duration::from_millis(25);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const STATEMENT_WITHIN: Duration = Duration::from_secs(60);
/// How much of a log's end is worth showing.
const TAIL_BYTES: u64 = 4096;
const TAIL_LINES: usize = 8;

/// How to connect to the maintenance database.
pub(super) fn config(sockets: &Path, password: &Secret) -> Config {
    let mut config = Config::new();
    config.host_path(sockets).port(PORT).user(NAME).password(password.expose());
    config.dbname("postgres").connect_timeout(CONNECT_WITHIN);
    config
}

/// Returns when a connection succeeds, or with an error when the child ends or time runs out.
pub(super) async fn wait(
    child: &Child,
    config: &Config,
    place: &Place,
) -> Result<(), PostgresError> {
    let deadline = Instant::now() + READY_WITHIN;
    let connect = async {
        loop {
            let refused = match with_client(config, async |_| Ok(())).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            // A wrong password will not become right.
            if refused.code() == Some(&SqlState::INVALID_PASSWORD) {
                return Err(refused.into());
            }
            if Instant::now() > deadline {
                return Err(PostgresError::NotReady(READY_WITHIN));
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
    };
    tokio::select! {
        connected = connect => connected,
        status = child.exited() => {
            let log = place.log();
            Err(PostgresError::Ended { status, tail: tail(&log), log })
        }
    }
}

/// Creates our database where it is missing.
pub(super) async fn create_database(config: &Config) -> Result<(), PostgresError> {
    let creating = with_client(config, async |client| {
        let known = "SELECT 1 FROM pg_database WHERE datname = $1";
        if client.query_opt(known, &[&NAME]).await?.is_none() {
            client.batch_execute(&format!("CREATE DATABASE {NAME}")).await?;
        }
        Ok(())
    });
    let created = tokio::time::timeout(STATEMENT_WITHIN, creating).await;
    Ok(created.map_err(|_| PostgresError::NotReady(STATEMENT_WITHIN))??)
}

/// Connects, does `work`, and drives the connection meanwhile.
async fn with_client<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
) -> Result<T, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    let mut connection = std::pin::pin!(connection);
    let mut working = std::pin::pin!(work(&client));
    tokio::select! {
        done = &mut working => done,
        ended = &mut connection => {
            ended?;
            working.await
        }
    }
}

/// The last lines of a log file, on one line.
pub(super) fn tail(log: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().map_or_else(|error| format!("(unreadable: {error})"), |text| last_lines(&text))
}

/// The last lines of a text, on one line.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join(" | ")
}
