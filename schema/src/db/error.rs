//! What can go wrong with the database. All of it is ours: no caller of the API causes it.

use std::io::ErrorKind;

use tokio_postgres::error::SqlState;

/// An error of the database or of our way of using it.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The address in the settings cannot be read.
    #[error("the database address cannot be read: {0}")]
    Url(#[from] super::UrlError),
    /// No connection could be had in time.
    #[error("no connection to the database: {0}")]
    Unavailable(#[source] deadpool_postgres::PoolError),
    /// The server refused a statement or the connection broke.
    #[error("the database answered: {0}")]
    Sql(#[source] tokio_postgres::Error),
    /// Every try of a transaction met others over the same rows.
    #[error("transaction {tx} was contended {tries} times")]
    Contended {
        /// The name given to `run_tx`.
        tx: &'static str,
        /// How often it was tried.
        tries: u32,
    },
    /// A statement failed and the body went on as if it had not; nothing was committed.
    #[error("a statement of the transaction failed")]
    Aborted,
    /// A row was not in the state that the statement asks for: someone else changed it first.
    #[error("{what} is no longer in the state it was read in")]
    Stale {
        /// Which row.
        what: &'static str,
    },
    /// The token of a lease no longer stands: another worker may hold the task.
    #[error("the lease no longer stands")]
    LeaseLost,
    /// A stored value is not what this version writes.
    #[error("the stored {what} cannot be read: {source}")]
    Stored {
        /// Which value.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// A stored word is not in its closed list.
    #[error("the stored {what} '{word}' is unknown")]
    Word {
        /// Which column.
        what: &'static str,
        /// What stands there.
        word: String,
    },
    /// The schema is newer than this program.
    #[error("the database has migration {0}, which this version does not know; update Reelpin")]
    Newer(String),
}

impl DbError {
    /// Whether another try of the whole transaction can succeed: serialization failures, deadlocks,
    /// unknown commits and connections that broke.
    pub(super) fn is_retryable(&self) -> bool {
        match self {
            Self::Sql(e) => is_passing(e),
            _ => false,
        }
    }
}

/// Whether the server may answer otherwise when it is asked again in a moment.
fn is_passing(e: &tokio_postgres::Error) -> bool {
    match e.code() {
        Some(code) => {
            [
                SqlState::T_R_SERIALIZATION_FAILURE,
                SqlState::T_R_DEADLOCK_DETECTED,
                SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN,
                SqlState::ADMIN_SHUTDOWN,
                SqlState::CRASH_SHUTDOWN,
                SqlState::CANNOT_CONNECT_NOW,
                SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            ]
            .contains(code)
                // Class 08: the connection, as a proxy before the server tells it.
                || code.code().starts_with("08")
        }
        None => e.is_closed(),
    }
}

/// Whether a connection that could not be had may be had in a moment: a server that is not there yet,
/// or has no place left. A certificate, a password, a database that is wrong stays so.
pub(super) fn may_come(e: &tokio_postgres::Error) -> bool {
    if is_passing(e) || e.code() == Some(&SqlState::TOO_MANY_CONNECTIONS) {
        return true;
    }
    let mut cause = std::error::Error::source(e);
    while let Some(e) = cause {
        if let Some(e) = e.downcast_ref::<std::io::Error>() {
            return !matches!(e.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput);
        }
        cause = e.source();
    }
    false
}

impl From<tokio_postgres::Error> for DbError {
    fn from(e: tokio_postgres::Error) -> Self {
        Self::Sql(e)
    }
}

impl From<deadpool_postgres::PoolError> for DbError {
    fn from(e: deadpool_postgres::PoolError) -> Self {
        Self::Unavailable(e)
    }
}
