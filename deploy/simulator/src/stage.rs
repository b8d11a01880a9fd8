//! What every seed of a thread runs on: a PostgreSQL database, and in it a schema of its own that is
//! made anew for each seed.

use anyhow::Context as _;
use reelpin_schema::db::{Config, Db, MIGRATIONS};
use reelpin_schema::secret::Secret;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

/// A database of this thread.
pub struct Stage {
    /// One connection, kept from seed to seed.
    pub db: Db,
    admin: Client,
    _connection: JoinHandle<()>,
}

impl Stage {
    /// Opens a fresh database.
    ///
    /// # Errors
    /// PostgreSQL is not there.
    pub async fn open() -> anyhow::Result<Self> {
        let url = reelpin_testing::postgres().await.context("PostgreSQL")?;
        let (admin, connection) = tokio_postgres::connect(&url, NoTls).await?;
        let task = async move {
            let _ = connection.await;
        };
        #[expect(clippy::disallowed_methods, reason = "it ends with its client")]
        let connection = tokio::spawn(task);
        let url = Secret::new(format!("{url}?options=-c%20search_path%3Dseed"));
        let db = Db::new(&Config { url, connections: 2 })?;
        Ok(Self { db, admin, _connection: connection })
    }

    /// Empty tables.
    ///
    /// # Errors
    /// The database's.
    pub async fn clear(&self) -> anyhow::Result<()> {
        let mut all = String::from(
            "SET client_min_messages = warning; DROP SCHEMA IF EXISTS seed CASCADE; \
             CREATE SCHEMA seed; SET search_path = seed;",
        );
        for migration in MIGRATIONS {
            all.push_str(migration.sql);
            all.push(';');
        }
        Ok(self.admin.batch_execute(&all).await?)
    }
}
