//! The relay: gives all events one order, and says again what committers may not have said.
//!
//! Of all gateways one works at a time, by a lease. Committers publish at once and best effort; the
//! relay publishes what nothing marks as said, and marks it with its next round, so that everything
//! is said at least once. What it remembers between two rounds may be lost: then things are said
//! twice.

pub(crate) mod run;

use std::time::Duration;

use reelpin_schema::db::{DbError, Tx};
use reelpin_schema::task::Unannounced;
use reelpin_schema::{event, lease, task};
use uuid::Uuid;

use crate::engines::Engines;

/// The name of its lease.
const NAME: &str = "relay";

/// How long the others wait for a relay that went silent, by the database's clock.
const LEASE: Duration = Duration::from_secs(10);

/// About how many events one round numbers at most, and how many it announces.
const EVENTS: i64 = 500;

/// How many tasks one round announces at most.
const TASKS: i64 = 64;

/// One of those who would relay.
pub struct Relay {
    engines: Engines,
    token: Uuid,
    said: Said,
}

/// What was published and is to be marked.
#[derive(Debug, Clone, Default)]
struct Said {
    positions: Vec<i64>,
    tasks: Vec<Unannounced>,
}

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Relayed {
    /// Whether this relay is the one that works; when not, nothing was done.
    pub leading: bool,
    /// How many events got a position.
    pub numbered: usize,
    /// How many events and tasks were announced.
    pub announced: usize,
    /// There is more to do at once.
    pub more: bool,
}

/// What a round is to publish.
struct Found {
    numbered: usize,
    events: Vec<(Uuid, i64)>,
    tasks: Vec<Unannounced>,
    more: bool,
}

impl Relay {
    /// A relay with a token of its own, which holds nothing yet.
    pub fn new(engines: &Engines) -> Self {
        Self { engines: engines.clone(), token: engines.ambient.uuid(), said: Said::default() }
    }

    /// One round: takes or prolongs the lease, marks what the last round published, numbers new
    /// events, and publishes what is not marked. Bounded; safe to drop at any point.
    ///
    /// # Errors
    /// [`DbError`]; the next round does it again.
    pub async fn round(&mut self) -> Result<Relayed, DbError> {
        let (token, said) = (self.token, self.said.clone());
        let found = self
            .engines
            .db
            .run_tx("relay.round", async move |tx| turn(tx, token, &said).await)
            .await?;
        let Some(found) = found else {
            // Whoever leads finds them unmarked and says them again.
            self.said = Said::default();
            return Ok(Relayed::default());
        };
        let mut sent = true;
        for (video, position) in newest(&found.events) {
            sent = sent && self.engines.queue.positioned(video, position).await;
        }
        for _ in &found.tasks {
            sent = sent && self.engines.queue.task_ready().await;
        }
        if !sent {
            // The queue is away; all of it is said again by the next round.
            self.said = Said::default();
            return Ok(Relayed { leading: true, numbered: found.numbered, ..Relayed::default() });
        }
        let relayed = Relayed {
            leading: true,
            numbered: found.numbered,
            announced: found.events.len() + found.tasks.len(),
            more: found.more,
        };
        // Only what was published is marked.
        let positions = found.events.into_iter().map(|(_, position)| position).collect();
        self.said = Said { positions, tasks: found.tasks };
        Ok(relayed)
    }

    /// Lets the lease go, so that the next relay need not wait for its end.
    ///
    /// # Errors
    /// [`DbError`]; then it expires.
    pub async fn retire(self) -> Result<(), DbError> {
        let token = self.token;
        let release = async move |tx: &Tx| lease::release(tx, NAME, token).await;
        self.engines.db.run_tx("relay.retire", release).await
    }
}

/// The database's part of a round; `None` when another relay holds the lease.
async fn turn(tx: &Tx, token: Uuid, said: &Said) -> Result<Option<Found>, DbError> {
    if !lease::hold(tx, NAME, token, LEASE).await? {
        return Ok(None);
    }
    event::announced(tx, &said.positions).await?;
    task::announced(tx, &said.tasks).await?;
    let numbering = event::number(tx, EVENTS).await?;
    let events = event::unannounced(tx, EVENTS).await?;
    let tasks = task::unannounced(tx, TASKS).await?;
    let full = |count: usize, limit| i64::try_from(count).is_ok_and(|count| count >= limit);
    let more = numbering.more || full(events.len(), EVENTS) || full(tasks.len(), TASKS);
    Ok(Some(Found { numbered: numbering.numbered, events, tasks, more }))
}

/// Each video's last position, in order: one message tells of all before it.
fn newest(events: &[(Uuid, i64)]) -> Vec<(Uuid, i64)> {
    let last: std::collections::BTreeMap<Uuid, i64> = events.iter().copied().collect();
    let mut newest: Vec<(Uuid, i64)> = last.into_iter().collect();
    newest.sort_unstable_by_key(|(_, position)| *position);
    newest
}
