//! Pins at services: their requests, what stands in their way, and their tasks.

use uuid::Uuid;

use super::{Pin, Role, State, of_video, task_of};
use crate::db::{DbError, Tx, sql};
use crate::task::{self, Kind, Lease};

/// The longest words that a row keeps, characters.
const WORDS: usize = 300;

/// The pin that a task of this kind and place makes.
///
/// # Errors
/// [`DbError`].
pub async fn of_task(tx: &Tx, video: Uuid, kind: Kind, place: i64) -> Result<Option<Pin>, DbError> {
    Ok(of_video(tx, video).await?.into_iter().find(|pin| pin.is_of(kind, place)))
}

/// Stores the id of the service's request for a pin, or that there is none; what stood in its way is
/// forgotten with a new one.
///
/// # Errors
/// [`DbError::LeaseLost`]; [`DbError::Stale`] when the pin is gone or of another content by now.
pub async fn request(
    tx: &Tx,
    lease: &Lease,
    pin: &Pin,
    request: Option<&str>,
) -> Result<(), DbError> {
    task::guard(tx, lease).await?;
    tx.exec_one(
        "the pin",
        sql!(
            "-- pin.request
        UPDATE pins SET request = $5, updated_at = $6,
            error = CASE WHEN $5::TEXT IS NULL THEN error ELSE NULL END
        WHERE video_id = $1 AND target = $2 AND role = $3 AND cid = $4"
        ),
        &[&lease.video(), &pin.target, &pin.role.name(), &pin.cid, &request, &tx.now()],
    )
    .await
}

/// Notes what stands in the way of the pin that a task makes, if it is not pinned meanwhile.
///
/// # Errors
/// [`DbError`].
pub async fn note(
    tx: &Tx,
    video: Uuid,
    kind: Kind,
    place: i64,
    words: &str,
) -> Result<(), DbError> {
    let Some(pin) = of_task(tx, video, kind, place).await? else { return Ok(()) };
    if pin.state == State::Pinned {
        return Ok(());
    }
    tx.exec(
        sql!(
            "-- pin.note
        UPDATE pins SET error = $4 WHERE video_id = $1 AND target = $2 AND role = $3"
        ),
        &[&video, &pin.target, &pin.role.name(), &words.chars().take(WORDS).collect::<String>()],
    )
    .await?;
    Ok(())
}

/// Lets the services' tasks for what a role keeps go on at once: the node has it now.
///
/// # Errors
/// [`DbError`].
pub async fn hasten(tx: &Tx, video: Uuid, role: Role) -> Result<(), DbError> {
    let pins = of_video(tx, video).await?;
    let places = pins.iter().filter(|pin| pin.role == role && pin.state != State::Pinned);
    let places = places.map(|pin| task_of(&pin.target, role));
    let places: Vec<i64> =
        places.filter(|(kind, _)| *kind == Kind::PinService).map(|(_, place)| place).collect();
    task::hasten(tx, video, Kind::PinService, &places).await
}
