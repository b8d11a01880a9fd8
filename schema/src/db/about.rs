//! What a database says of itself, without changing anything in it.

use tokio_postgres::error::SqlState;

use super::migrate::APPLIED;
use super::{Db, DbError, MIGRATIONS, Statement, sql};

const VERSION: &Statement = sql!(Statement, "-- about.version\nSELECT version()");

/// A database before it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Program and version, in the server's words.
    pub version: String,
    /// How many of [`MIGRATIONS`] are applied, or the name of one that this version does not know.
    pub applied: Result<usize, String>,
}

impl Db {
    /// Asks the server what it is, and how far its schema is.
    ///
    /// # Errors
    /// [`DbError`] when it does not answer within the pool's limits.
    pub async fn about(&self) -> Result<About, DbError> {
        let client = self.connection().await?;
        let row = client.query_one(VERSION.text(), &[]).await?;
        let version: String = row.get(0);
        let names = match client.query(APPLIED.text(), &[]).await {
            Ok(rows) => rows.iter().map(|row| row.get("name")).collect(),
            Err(e) if e.code() == Some(&SqlState::UNDEFINED_TABLE) => Vec::<String>::new(),
            Err(e) => return Err(e.into()),
        };
        let newer = names.iter().find(|name| MIGRATIONS.iter().all(|m| m.name != **name));
        let applied = newer.map_or(Ok(names.len()), |name| Err(name.clone()));
        // Of "PostgreSQL 15.8 (Debian ...) on x86_64-pc-linux-gnu, compiled by ..." the beginning.
        let version = version.split(" on ").next().unwrap_or_default().to_owned();
        Ok(About { version, applied })
    }
}
