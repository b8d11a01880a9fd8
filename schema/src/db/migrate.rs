//! Migrations: one idempotent statement a file, as CockroachDB wants schema changes, applied in
//! order and remembered by name.

use std::time::Duration;

use tokio_postgres::error::SqlState;

use super::session;
use super::{Db, DbError, Statement, sql};

/// How often a migration is tried.
const TRIES: u32 = 5;

/// The wait between two tries.
const BETWEEN: Duration = Duration::from_millis(500);

/// An index over a large table takes longer than a statement may otherwise.
const PATIENT: &Statement = sql!(Session, "-- migrations.patient\nSET statement_timeout = 0");
const TABLE: &Statement = sql!(
    Migration,
    "-- migrations.table
    CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL)"
);
pub(super) const APPLIED: &Statement = sql!(
    Statement,
    "-- migrations.applied
    SELECT name FROM migrations ORDER BY name"
);
const REMEMBER: &Statement = sql!(
    Statement,
    "-- migrations.remember
    INSERT INTO migrations (name, applied_at) VALUES ($1, now()) ON CONFLICT (name) DO NOTHING"
);

/// One statement of a migration, by its place in the order of all.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// `0001-first-film/up01-videos`: folder and file.
    pub name: &'static str,
    /// The statement; safe to apply twice.
    pub sql: &'static str,
}

macro_rules! migrations {
    ($($name:literal),* $(,)?) => {
        &[$(Migration {
            name: $name,
            sql: include_str!(concat!("../../migrations/", $name, ".sql")),
        }),*]
    };
}

/// Every migration there is, oldest first.
pub const MIGRATIONS: &[Migration] = migrations![
    "0001-first-film/up01-videos",
    "0001-first-film/up02-videos-list",
    "0001-first-film/up03-videos-look",
    "0001-first-film/up04-transcodes",
    "0001-first-film/up05-segments",
    "0001-first-film/up06-files",
    "0001-first-film/up07-tasks",
    "0001-first-film/up08-tasks-ready",
    "0001-first-film/up09-tasks-running",
    "0001-first-film/up10-tasks-token",
    "0001-first-film/up11-waits",
    "0001-first-film/up12-waits-on",
    "0001-first-film/up13-attempts",
    "0001-first-film/up14-attempts-video",
    "0001-first-film/up15-events",
    "0001-first-film/up16-pins",
    "0001-first-film/up17-pins-cid",
    "0002-relay/up01-leases",
    "0002-relay/up02-positions",
    "0002-relay/up03-positions-events",
    "0002-relay/up04-events-position",
    "0002-relay/up05-events-by-position",
    "0002-relay/up06-events-unnumbered",
    "0002-relay/up07-events-unannounced",
    "0002-relay/up08-tasks-unannounced",
    "0003-janitor/up01-unpins",
    "0003-janitor/up02-unpins-ready",
    "0003-janitor/up03-pins-replaces",
    "0003-janitor/up04-pins-by-replaces",
    "0003-janitor/up05-tasks-dead",
    "0004-growing/up01-tasks-kind-any",
    "0004-growing/up02-tasks-kind-crdb",
    "0004-growing/up03-tasks-kinds-any",
    "0004-growing/up04-tasks-kinds",
    "0004-growing/up05-tasks-until",
    "0004-growing/up06-transcodes-prefix",
    "0004-growing/up07-transcodes-listed",
    "0005-plans/up01-videos-overdue",
    "0006-pin-services/up01-pins-request",
    "0006-pin-services/up02-pins-error",
    "0006-pin-services/up03-tasks-kinds-any",
    "0006-pin-services/up04-tasks-kinds",
];

impl Db {
    /// Brings the schema up to this version. Statements that are already applied are skipped, and
    /// each is idempotent; two processes that migrate at once may meet, so it is tried a few times.
    ///
    /// # Errors
    /// [`DbError::Newer`] when the database was migrated by a later version.
    pub async fn migrate(&self) -> Result<(), DbError> {
        for _ in 1..TRIES {
            match self.migrate_once().await {
                Err(DbError::Sql(e)) => tracing::debug!("a migration is tried again: {e}"),
                done => return done,
            }
            tokio::time::sleep(BETWEEN).await;
        }
        self.migrate_once().await
    }

    async fn migrate_once(&self) -> Result<(), DbError> {
        let client = self.connection().await?;
        client.batch_execute(PATIENT.text()).await?;
        client.batch_execute(TABLE.text()).await?;
        let rows = client.query(APPLIED.text(), &[]).await?;
        let applied: Vec<String> = rows.iter().map(|row| row.get("name")).collect();
        if let Some(newer) = applied.iter().find(|a| MIGRATIONS.iter().all(|m| m.name != **a)) {
            return Err(DbError::Newer(newer.clone()));
        }
        for (place, migration) in MIGRATIONS.iter().enumerate() {
            if applied.iter().any(|name| name == migration.name) {
                continue;
            }
            match client.batch_execute(migration.sql).await {
                // A constraint that was added by whoever died before it was remembered. The one before
                // drops it, should it be an older one of that name.
                Err(e) if e.code() == Some(&SqlState::DUPLICATE_OBJECT) && place > 0 => {
                    let before = MIGRATIONS.get(place - 1).map_or("", |one| one.sql);
                    client.batch_execute(before).await?;
                    client.batch_execute(migration.sql).await?;
                }
                done => done?,
            }
            client.execute(REMEMBER.text(), &[&migration.name]).await?;
        }
        // The connection goes back to the pool.
        client.batch_execute(session::TIMEOUT.text()).await?;
        Ok(())
    }
}
