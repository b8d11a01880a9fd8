//! One open transaction and the connection under it.

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use deadpool_postgres::Object;
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, SimpleQueryMessage};
use uuid::Uuid;

use super::{DbError, Sql, Statement, sql};
use crate::ambient::Ambient;

const BEGIN: &Statement = sql!(Transaction, "-- tx.begin\nBEGIN ISOLATION LEVEL SERIALIZABLE");
/// Sent with [`BEGIN`], in one message.
const CLOCK: &Statement =
    sql!(Transaction, "-- tx.clock\nSELECT (extract(epoch FROM now()) * 1000000)::INT8 AS micros");
const COMMIT: &Statement = sql!(Transaction, "-- tx.commit\nCOMMIT");
const ROLLBACK: &Statement = sql!(Transaction, "-- tx.rollback\nROLLBACK");

/// Parameters of a statement, in order.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A transaction as its body sees it: statements and the database's clock, nothing to commit.
pub struct Tx {
    client: Object,
    now: OffsetDateTime,
    retry: AtomicBool,
    failed: AtomicBool,
    ambient: Ambient,
    /// Ids given so far.
    ids: AtomicU16,
}

impl Tx {
    /// The database's clock at the start of this transaction.
    pub fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// A new UUIDv7 of this moment. Those of one transaction sort in the order they were asked for:
    /// `rand_a` counts them (RFC 9562, 6.2, method 1).
    pub fn new_id(&self) -> Uuid {
        let millis = self.now.unix_timestamp_nanos() / 1_000_000;
        let mut bytes = self.ambient.bytes();
        let count = self.ids.fetch_add(1, Ordering::Relaxed) & 0x0fff;
        bytes[..2].copy_from_slice(&count.to_be_bytes());
        let mut random = [0; 10];
        random.copy_from_slice(&bytes[..10]);
        uuid::Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap_or(0), &random)
            .into_uuid()
    }

    /// Runs a statement; returns how many rows it changed.
    ///
    /// # Errors
    /// [`DbError::Sql`].
    pub async fn exec(&self, sql: impl Sql, params: Params<'_>) -> Result<u64, DbError> {
        let result = async {
            let statement = self.client.prepare_cached(sql.text()).await?;
            self.client.execute(&statement, params).await
        }
        .await;
        self.seen(result)
    }

    /// Runs a statement; returns all its rows.
    ///
    /// # Errors
    /// [`DbError::Sql`].
    pub async fn all(&self, sql: impl Sql, params: Params<'_>) -> Result<Vec<Row>, DbError> {
        let result = async {
            let statement = self.client.prepare_cached(sql.text()).await?;
            self.client.query(&statement, params).await
        }
        .await;
        self.seen(result)
    }

    /// Runs a statement; returns its only row, or `None`.
    ///
    /// # Errors
    /// [`DbError::Sql`], also when there is more than one row.
    pub async fn opt(&self, sql: impl Sql, params: Params<'_>) -> Result<Option<Row>, DbError> {
        let result = async {
            let statement = self.client.prepare_cached(sql.text()).await?;
            self.client.query_opt(&statement, params).await
        }
        .await;
        self.seen(result)
    }

    /// Runs a statement that must change exactly one row.
    ///
    /// # Errors
    /// [`DbError::Stale`] naming `what` when it changed none, else [`DbError::Sql`].
    pub async fn exec_one(
        &self,
        what: &'static str,
        sql: impl Sql,
        params: Params<'_>,
    ) -> Result<(), DbError> {
        match self.exec(sql, params).await? {
            1 => Ok(()),
            _ => Err(DbError::Stale { what }),
        }
    }

    /// Notes an error that asks for another try, so that a body may return any error of its own.
    fn seen<T>(&self, result: Result<T, tokio_postgres::Error>) -> Result<T, DbError> {
        result.map_err(|e| {
            let e = DbError::from(e);
            self.failed.store(true, Ordering::Relaxed);
            if e.is_retryable() {
                self.retry.store(true, Ordering::Relaxed);
            }
            e
        })
    }
}

/// What became of one try.
pub(super) enum Outcome<T, E> {
    /// It committed, or failed for good.
    Done(Result<T, E>),
    /// Another try may succeed.
    Retry,
}

/// A connection with an open transaction. Dropped while open, the connection is thrown away, so
/// that a half-done transaction never returns to the pool.
pub(super) struct Session {
    tx: Option<Tx>,
}

impl Session {
    /// `clock` stands in for the database's own.
    pub(super) async fn begin(
        client: Object,
        ambient: Ambient,
        clock: Option<OffsetDateTime>,
    ) -> Result<Self, DbError> {
        // A guard from the first word on: the caller may drop us during BEGIN.
        let mut session = Self {
            tx: Some(Tx {
                client,
                now: OffsetDateTime::UNIX_EPOCH,
                retry: AtomicBool::new(false),
                failed: AtomicBool::new(false),
                ambient,
                ids: AtomicU16::new(0),
            }),
        };
        let answer = session
            .tx()
            .client
            .simple_query(&format!("{};\n{}", BEGIN.text(), CLOCK.text()))
            .await?;
        let now = answer
            .iter()
            .find_map(|m| match m {
                SimpleQueryMessage::Row(row) => row.get(0)?.parse::<i64>().ok(),
                _ => None,
            })
            .and_then(|micros| {
                OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok()
            })
            .ok_or(DbError::Stale { what: "the database's clock" })?;
        if let Some(tx) = &mut session.tx {
            tx.now = clock.unwrap_or(now);
        }
        Ok(session)
    }

    pub(super) fn tx(&self) -> &Tx {
        self.tx.as_ref().expect("a session holds its transaction until `end` consumes it")
    }

    /// Commits when the body succeeded and no statement asked for another try, else rolls back.
    pub(super) async fn end<T, E: From<DbError>>(mut self, result: Result<T, E>) -> Outcome<T, E> {
        let wants_retry = self.tx().retry.load(Ordering::Relaxed);
        // The server turns a COMMIT after a failed statement into a rollback, and says so to nobody.
        let failed = self.tx().failed.load(Ordering::Relaxed);
        let result = match result {
            Ok(_) if failed => Err(DbError::Aborted.into()),
            result => result,
        };
        let last = if result.is_ok() && !wants_retry { COMMIT } else { ROLLBACK };
        let ended = self.tx().client.batch_execute(last.text()).await.map_err(DbError::from);
        match ended {
            // The connection is clean again: it may go back to the pool.
            Ok(()) => drop(self.tx.take().map(|tx| tx.client)),
            Err(_) if wants_retry || result.is_err() => {}
            Err(e) if e.is_retryable() => return Outcome::Retry,
            Err(e) => return Outcome::Done(Err(e.into())),
        }
        if wants_retry { Outcome::Retry } else { Outcome::Done(result) }
    }
}

impl Session {
    /// Undoes the try.
    pub(super) async fn roll_back(mut self) {
        if self.tx().client.batch_execute(ROLLBACK.text()).await.is_ok() {
            drop(self.tx.take().map(|tx| tx.client));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(tx) = self.tx.take() {
            drop(Object::take(tx.client));
        }
    }
}
