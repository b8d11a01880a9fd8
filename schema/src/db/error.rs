//! What can go wrong with the database. All of it is ours: no caller of the API causes it.

use tokio_postgres::error::SqlState;

/// An error of the database or of our way of using it.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The address in the settings cannot be read.
    #[error("the database address cannot be read")]
    Url,
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
            Self::Sql(e) => match e.code() {
                Some(code) => {
                    *code == SqlState::T_R_SERIALIZATION_FAILURE
                        || *code == SqlState::T_R_DEADLOCK_DETECTED
                        || *code == SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
                        || *code == SqlState::ADMIN_SHUTDOWN
                        || *code == SqlState::CRASH_SHUTDOWN
                        || *code == SqlState::CANNOT_CONNECT_NOW
                        || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
                }
                None => e.is_closed(),
            },
            _ => false,
        }
    }
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
