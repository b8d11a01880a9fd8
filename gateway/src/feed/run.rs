//! What drives the hub in a process: hints, commands, a look each second.

use std::time::Duration;

use reelpin_schema::db::DbError;
use reelpin_schema::queue::{Heard, Queue};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::hub::Hub;
use super::look::{Found, look};

/// How often the table is looked at without a hint.
const POLL: Duration = Duration::from_secs(1);

/// Runs a hub until `stop`.
pub(crate) async fn run(mut hub: Hub, queue: Queue, stop: CancellationToken) {
    let mut hints = queue.status_hints();
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut hinted = true;
    // At most one look at a time, beside this loop, so that a slow database delays no hint.
    let mut looks: JoinSet<Result<Found, DbError>> = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(command) = hub.asked() => hub.obey(command),
            heard = hints.next(), if hinted => match heard {
                Heard::Hint(hint) => hub.hear(&hint),
                Heard::Missed => hub.doubt(),
                Heard::Closed => hinted = false,
            },
            _ = poll.tick() => hub.doubt(),
            Some(looked) = looks.join_next() => match looked {
                Ok(Ok(found)) => hub.tell(found),
                Ok(Err(e)) => tracing::warn!("events could not be read for the feed: {e}"),
                Err(e) => tracing::error!("reading events for the feed panicked: {e}"),
            },
        }
        if looks.is_empty()
            && let Some(wanted) = hub.wanted()
        {
            looks.spawn(look(hub.db().clone(), wanted));
        }
    }
}
