//! The condition on the token that every statement of a worker has.

use crate::db::Statement;

/// A statement that changes a task only by the token of its lease.
#[cfg(not(feature = "planted"))]
pub(super) fn fenced(sql: &'static Statement) -> &'static Statement {
    sql
}

/// The same, and the fault of one that asks for no token.
#[cfg(feature = "planted")]
pub(super) fn fenced(sql: &'static Statement) -> std::borrow::Cow<'static, str> {
    use crate::planted::{Bug, is};

    if is(Bug::Unfenced) {
        sql.text().replace("lease_token = $2", "$2::UUID IS NOT NULL").into()
    } else {
        sql.text().into()
    }
}
