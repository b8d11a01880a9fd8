//! The table `leases`: duties that one process at a time has, such as the relay's.

use std::time::Duration;

use uuid::Uuid;

use crate::db::{DbError, Tx, sql};

/// Takes or prolongs a named lease: true when `token` holds it until `lasts` from now, by the
/// database's clock. False when another token holds it.
///
/// In the transaction that does the holder's work it fences that work too: of two that believe to
/// hold the lease only one can commit.
///
/// # Errors
/// [`DbError`].
pub async fn hold(tx: &Tx, name: &str, token: Uuid, lasts: Duration) -> Result<bool, DbError> {
    let until = tx.now() + lasts;
    let held = tx
        .exec(
            sql!(
                "-- lease.hold
            UPDATE leases SET token = $2, lease_until = $3
            WHERE name = $1 AND (token = $2 OR lease_until < $4)"
            ),
            &[&name, &token, &until, &tx.now()],
        )
        .await?;
    if held == 1 {
        return Ok(true);
    }
    let made = tx
        .exec(
            sql!(
                "-- lease.make
            INSERT INTO leases (name, token, lease_until) VALUES ($1, $2, $3)
            ON CONFLICT (name) DO NOTHING"
            ),
            &[&name, &token, &until],
        )
        .await?;
    Ok(made == 1)
}

/// Lets a lease go, so that nobody waits for it to expire. Nothing happens when another holds it.
///
/// # Errors
/// [`DbError`].
pub async fn release(tx: &Tx, name: &str, token: Uuid) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- lease.release
        UPDATE leases SET lease_until = $3 WHERE name = $1 AND token = $2"
        ),
        &[&name, &token, &(tx.now() - Duration::from_millis(1))],
    )
    .await?;
    Ok(())
}

/// What the last holder noted for the next; `None` when nothing was.
///
/// # Errors
/// [`DbError`].
pub async fn note(tx: &Tx, name: &str) -> Result<Option<String>, DbError> {
    let row =
        tx.opt(sql!("-- lease.note\nSELECT note FROM leases WHERE name = $1"), &[&name]).await?;
    Ok(row.and_then(|row| row.get("note")))
}

/// Notes something for the next holder, or for this one's next round.
///
/// # Errors
/// [`DbError::LeaseLost`] when `token` does not hold the lease.
pub async fn set_note(tx: &Tx, name: &str, token: Uuid, note: Option<&str>) -> Result<(), DbError> {
    let noted = tx
        .exec(
            sql!(
                "-- lease.set_note
            UPDATE leases SET note = $3 WHERE name = $1 AND token = $2"
            ),
            &[&name, &token, &note],
        )
        .await?;
    if noted == 1 { Ok(()) } else { Err(DbError::LeaseLost) }
}
