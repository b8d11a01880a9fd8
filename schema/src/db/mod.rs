//! The database: its pool, the one door for transactions, and the migrations.
//!
//! PostgreSQL and CockroachDB are spoken to with the same statements. Nothing outside this module
//! begins, commits or rolls back.

mod about;
mod error;
mod migrate;
mod secure;
mod session;
mod statement;
mod turns;
mod tx;
mod url;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::PoolError;
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use tokio::time::Instant;

pub use about::About;
pub use error::DbError;
use error::may_come;
pub use migrate::{MIGRATIONS, Migration};
pub use secure::SecureError;
#[doc(hidden)]
pub use statement::STATEMENTS;
pub(crate) use statement::sql;
pub use statement::{Listed, Purpose, Sql, Statement, listed};
pub use turns::{Fate, Turns};
pub use tx::Tx;
pub use url::UrlError;

use crate::ambient::Ambient;
use crate::secret::Secret;
use tx::{Outcome, Session};
use url::Address;

/// How often a transaction is tried before it is given up as contended. 30 retries with jitter let
/// 400 concurrent transfers over 5 rows all succeed (measured, PostgreSQL 15, 2 cores).
const MAX_TRIES: u32 = 40;

/// The longest that one try of a transaction may take, its commit included.
const TRY_LIMIT: Duration = Duration::from_secs(15);

/// No further try begins after this.
const ALL_LIMIT: Duration = Duration::from_secs(30);

/// How long a connection is used: so that those of a cluster spread over nodes that came later, behind
/// whatever balances them (CockroachDB's advice: 5 to 30 minutes, with some jitter).
const LIFETIME: Duration = Duration::from_secs(25 * 60);

/// What of it is left to chance, so that not all go at once.
const JITTER: Duration = Duration::from_secs(5 * 60);

/// Of a connection that was made at this moment.
fn lifetime(created: std::time::Instant) -> Duration {
    let mut hasher = DefaultHasher::new();
    created.hash(&mut hasher);
    LIFETIME + JITTER.mul_f64(f64::from(hasher.finish() as u16) / f64::from(u16::MAX))
}

/// Where the database is and how many connections may be open to it.
#[derive(Debug, Clone)]
pub struct Config {
    /// A `postgresql://` URL, or libpq's key=value pairs. A URL may have `sslmode`, `sslrootcert`, `sslcert`
    /// and `sslkey` as those of PostgreSQL and CockroachDB do.
    pub url: Secret,
    /// The most connections held open at once.
    pub connections: usize,
}

/// A pool of connections to the database. Clones share it.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    ambient: Ambient,
    turns: Option<Arc<dyn Turns>>,
}

impl Db {
    /// Prepares a pool; connects on first use.
    ///
    /// # Errors
    /// [`DbError::Url`] when the URL, or a file that it names, cannot be read.
    pub fn new(config: &Config) -> Result<Self, DbError> {
        let address = Address::read(config.url.expose())?;
        let tls = address.trust.connector().map_err(UrlError::from)?;
        let manager = Manager::from_config(
            address.pg,
            tls,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = Pool::builder(manager)
            .max_size(config.connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(Duration::from_secs(10)))
            .create_timeout(Some(Duration::from_secs(10)))
            .recycle_timeout(Some(Duration::from_secs(5)))
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move {
                    client.batch_execute(&session::setup()).await.map_err(HookError::Backend)
                })
            }))
            .pre_recycle(Hook::sync_fn(|_, metrics| {
                match metrics.age() > lifetime(metrics.created) {
                    true => Err(HookError::message("it is old")),
                    false => Ok(()),
                }
            }))
            .build()
            .map_err(|_| UrlError::Form)?;
        Ok(Self { pool, ambient: Ambient::system(), turns: None })
    }

    /// The same pool for one actor of a scheduler, with its turns, and with ids by `ambient`.
    #[must_use]
    pub fn in_turns(&self, turns: Arc<dyn Turns>, ambient: Ambient) -> Self {
        Self { pool: self.pool.clone(), ambient, turns: Some(turns) }
    }

    /// Runs `body` in one SERIALIZABLE transaction and returns what it returned.
    ///
    /// The body may run several times, also after a commit whose answer was lost, so it holds SQL
    /// only and is safe to run again after having succeeded. `name` names it in logs and metrics.
    ///
    /// # Errors
    /// The body's own error, after a rollback; [`DbError::Contended`] when every try met 40001;
    /// [`DbError::Unavailable`] when no connection could be had.
    pub async fn run_tx<T, E, F>(&self, name: &'static str, body: F) -> Result<T, E>
    where
        F: AsyncFn(&Tx) -> Result<T, E>,
        E: From<DbError>,
    {
        let Some(turns) = self.turns.as_deref() else {
            return self.tried(name, &body, Fate::Run).await;
        };
        let fate = turns.enter(name).await;
        let _turn = Turn { turns, name };
        match fate {
            Fate::Run | Fate::Conflict | Fate::Unknown => self.tried(name, &body, fate).await,
            Fate::Lost => {
                self.tried(name, &body, fate).await?;
                Err(DbError::Contended { tx: name, tries: MAX_TRIES }.into())
            }
            Fate::Away => Err(DbError::Contended { tx: name, tries: 0 }.into()),
        }
    }

    async fn tried<T, E, F>(&self, name: &'static str, body: &F, fate: Fate) -> Result<T, E>
    where
        F: AsyncFn(&Tx) -> Result<T, E>,
        E: From<DbError>,
    {
        let began = Instant::now();
        for tries in 1..=MAX_TRIES {
            let fate = if tries == 1 { fate } else { Fate::Run };
            let tried = tokio::time::timeout(TRY_LIMIT, self.once(body, fate)).await;
            match tried.unwrap_or(Outcome::Retry) {
                Outcome::Done(result) => return result,
                Outcome::Retry => {
                    tracing::debug!(tx = name, tries, "transaction is tried again");
                    // Who was only told so has nobody in the way.
                    if fate == Fate::Run {
                        tokio::time::sleep(self.pause(tries)).await;
                    }
                }
            }
            if began.elapsed() > ALL_LIMIT {
                return Err(DbError::Contended { tx: name, tries }.into());
            }
        }
        Err(DbError::Contended { tx: name, tries: MAX_TRIES }.into())
    }

    async fn once<T, E, F>(&self, body: &F, fate: Fate) -> Outcome<T, E>
    where
        F: AsyncFn(&Tx) -> Result<T, E>,
        E: From<DbError>,
    {
        let client = match self.pool.get().await {
            Ok(client) => client,
            // A server that restarts is back within a few tries.
            Err(PoolError::Backend(e)) if may_come(&e) => return Outcome::Retry,
            Err(e) => return Outcome::Done(Err(DbError::from(e).into())),
        };
        let now = self.turns.as_ref().map(|turns| turns.now());
        let session = match Session::begin(client, self.ambient.clone(), now).await {
            Ok(session) => session,
            Err(e) if e.is_retryable() => return Outcome::Retry,
            Err(e) => return Outcome::Done(Err(e.into())),
        };
        if let Some(turns) = &self.turns {
            turns.began(session.tx()).await;
        }
        let result = body(session.tx()).await;
        if let (Some(turns), Ok(_)) = (&self.turns, &result) {
            turns.ending(session.tx()).await;
        }
        match fate {
            Fate::Conflict if result.is_ok() => {
                session.roll_back().await;
                Outcome::Retry
            }
            Fate::Unknown => match session.end(result).await {
                Outcome::Done(Ok(_)) => Outcome::Retry,
                ended => ended,
            },
            _ => session.end(result).await,
        }
    }

    /// Full jitter that grows from 5 ms to at most 250 ms.
    fn pause(&self, tries: u32) -> Duration {
        let most = (5_u64 << tries.min(6)).min(250);
        Duration::from_millis(1).max(Duration::from_millis(most).mul_f64(self.ambient.fraction()))
    }

    /// Closes every connection; whoever asks for one afterwards is refused.
    pub fn close(&self) {
        self.pool.close();
    }

    /// Asks the database whether it answers.
    ///
    /// # Errors
    /// [`DbError`] when it does not within the pool's limits.
    pub async fn ping(&self) -> Result<(), DbError> {
        self.run_tx("db.ping", async move |tx| tx.exec(sql!("-- db.ping\nSELECT 1"), &[]).await)
            .await?;
        Ok(())
    }

    async fn connection(&self) -> Result<Object, DbError> {
        Ok(self.pool.get().await?)
    }
}

/// Ends a turn, also when the caller is dropped in the middle of it.
struct Turn<'a> {
    turns: &'a dyn Turns,
    name: &'static str,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.left(self.name);
    }
}
