//! Taking turns: how a scheduler stands around every transaction. Production has none.

use async_trait::async_trait;
use time::OffsetDateTime;

use super::Tx;

/// Decides when each transaction runs, by which clock, and what becomes of it.
#[async_trait]
pub trait Turns: Send + Sync {
    /// Waits for the turn of a transaction. Until [`Turns::left`] nothing else has one.
    async fn enter(&self, name: &'static str) -> Fate;

    /// The database's clock, in place of its own.
    fn now(&self) -> OffsetDateTime;

    /// A try of it has begun; what it reads here is from before the body.
    async fn began(&self, tx: &Tx);

    /// The body has succeeded, and the commit follows.
    async fn ending(&self, tx: &Tx);

    /// The turn is over.
    fn left(&self, name: &'static str);
}

/// What becomes of a transaction whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It runs as it would.
    Run,
    /// Its first try meets 40001 at its commit, and it is tried again.
    Conflict,
    /// Its first try commits, the answer is lost, and it is tried again (40003).
    Unknown,
    /// It commits, the answer is lost, and so is the way to the database: the caller hears
    /// [`DbError::Contended`](super::DbError::Contended).
    Lost,
    /// The database is away: nothing happens, and the caller hears
    /// [`DbError::Contended`](super::DbError::Contended).
    Away,
}
