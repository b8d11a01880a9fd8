//! What each connection is told first.

use super::{Statement, sql};

/// Serializable, whatever the server's default: PostgreSQL's is READ COMMITTED.
const ISOLATION: &Statement =
    sql!(Session, "-- session.isolation\nSET default_transaction_isolation = 'serializable'");

/// The longest that one statement may take.
pub(super) const TIMEOUT: &Statement =
    sql!(Session, "-- session.timeout\nSET statement_timeout = '10s'");

/// A client that is lost in the middle of a transaction does not hold its locks.
const IDLE: &Statement =
    sql!(Session, "-- session.idle\nSET idle_in_transaction_session_timeout = '20s'");

const ZONE: &Statement = sql!(Session, "-- session.zone\nSET TIME ZONE 'UTC'");

/// All of it, one message.
pub(super) fn setup() -> String {
    [ISOLATION, TIMEOUT, IDLE, ZONE].map(Statement::text).join(";\n")
}
