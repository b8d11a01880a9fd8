//! What the tests of several crates stand on: a private PostgreSQL cluster, a fresh migrated
//! database for each test, an S3 server and a pinning service in process. For tests alone: it panics nowhere, but
//! its errors are for people who look at a failed test.

mod bucket;
mod clock;
mod cluster;
mod pinning;
mod server;

use std::time::Duration;

use anyhow::Context as _;
use reelpin_schema::db::{self, Db};
use reelpin_schema::secret::Secret;
use tokio::sync::OnceCell;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

pub use bucket::{TestBucket, bucket};
pub use clock::Ahead;
use cluster::Cluster;
pub use pinning::{DELEGATE, Held, Mood, PinningService, TOKEN, pinning_service};
pub use server::Server;

/// The database that every test's own is a copy of.
const TEMPLATE: &str = "reelpin_template";

/// How long the template may take to become free after its migration.
const FREE: Duration = Duration::from_secs(20);

static READY: OnceCell<&'static Cluster> = OnceCell::const_new();

/// The URL of a fresh, migrated database in the test run's own cluster.
///
/// # Errors
/// PostgreSQL is not installed, or did not start.
pub async fn postgres() -> anyhow::Result<String> {
    let cluster = *READY.get_or_try_init(prepare).await?;
    let name = format!("t_{}", uuid::Uuid::new_v4().simple());
    let began = tokio::time::Instant::now();
    let maintenance = cluster.url("postgres");
    loop {
        match execute(&maintenance, &format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")).await {
            Ok(()) => return Ok(cluster.url(&name)),
            // The connection that migrated it is still on its way out, or another copy is made.
            Err(e) if e.code() == Some(&SqlState::OBJECT_IN_USE) && began.elapsed() < FREE => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(e) => return Err(e).context("copying the template database"),
        }
    }
}

/// The URL of a fresh, empty database on the server that `REELPIN_TEST_DATABASE_URL` names, CockroachDB or
/// PostgreSQL, without TLS; `None` when it names none. Its user may create databases; they are not removed.
///
/// # Errors
/// The server does not answer, or refuses.
pub async fn served() -> anyhow::Result<Option<String>> {
    #[expect(clippy::disallowed_methods, reason = "tests have no main")]
    let Ok(server) = std::env::var("REELPIN_TEST_DATABASE_URL") else { return Ok(None) };
    let name = format!("t_{}", uuid::Uuid::new_v4().simple());
    execute(&server, &format!("CREATE DATABASE {name}")).await.context("creating a database")?;
    let (address, parameters) = match server.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (server.as_str(), String::new()),
    };
    let (host, _) = address.rsplit_once('/').context("the address names no database")?;
    Ok(Some(format!("{host}/{name}{parameters}")))
}

/// A client of a fresh, migrated database.
///
/// # Errors
/// As [`postgres`].
pub async fn database() -> anyhow::Result<Db> {
    Ok(connect(&postgres().await?)?)
}

/// A client of a database by its URL.
///
/// # Errors
/// The URL cannot be read.
pub fn connect(url: &str) -> Result<Db, db::DbError> {
    Db::new(&db::Config { url: Secret::new(url), connections: 8 })
}

async fn prepare() -> anyhow::Result<&'static Cluster> {
    let cluster = tokio::task::spawn_blocking(Cluster::start).await??;
    execute(&cluster.url("postgres"), &format!("CREATE DATABASE {TEMPLATE}")).await?;
    connect(&cluster.url(TEMPLATE))?.migrate().await?;
    Ok(cluster)
}

async fn execute(url: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let mut work = std::pin::pin!(client.batch_execute(sql));
    let mut connection = std::pin::pin!(connection);
    // The connection moves the statement along; it ends only when the client is gone.
    tokio::select! {
        done = work.as_mut() => done,
        broken = connection.as_mut() => { broken?; work.await }
    }
}
