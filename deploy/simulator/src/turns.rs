//! The database in turns: each whole `run_tx` is one effect, by the world's clock, and the fence is
//! looked at around it.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use reelpin_schema::db::{Fate, Turns, Tx};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::gate::{Actor, Effect, Gates, Verdict};

thread_local! {
    /// The token of the attempt whose future is being polled.
    static HOLDER: Cell<Option<Uuid>> = const { Cell::new(None) };
}

/// Notes whose future is polled, while it is.
pub fn holding<T>(token: Uuid, poll: impl FnOnce() -> T) -> T {
    let before = HOLDER.replace(Some(token));
    let polled = poll();
    HOLDER.set(before);
    polled
}

/// When a world begins, by the database's clock.
pub fn epoch() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// What was seen that must not be.
pub type Violations = Arc<Mutex<Vec<String>>>;

/// A transaction that is open.
#[derive(Clone, Copy)]
struct Open {
    name: &'static str,
    /// The token of the holder whose transaction it is, and whether it stood as it began.
    holder: Option<(Uuid, bool)>,
}

/// One actor's turns.
pub struct InTurns {
    gates: Gates,
    actor: Actor,
    violations: Violations,
    open: Mutex<Option<Open>>,
}

impl InTurns {
    /// The turns of `actor`.
    pub fn new(gates: Gates, actor: Actor, violations: Violations) -> Self {
        Self { gates, actor, violations, open: Mutex::new(None) }
    }
}

#[async_trait]
impl Turns for InTurns {
    async fn enter(&self, name: &'static str) -> Fate {
        let holder = HOLDER.get();
        let verdict = self.gates.wait(self.actor, Effect::Tx(name)).await;
        self.gates.count_open(true);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        *open = Some(Open { name, holder: holder.map(|token| (token, false)) });
        match verdict {
            Verdict::Run => Fate::Run,
            Verdict::Conflict => Fate::Conflict,
            Verdict::Late => Fate::Unknown,
            Verdict::Lost => Fate::Lost,
            Verdict::Fail => Fate::Away,
        }
    }

    fn now(&self) -> OffsetDateTime {
        epoch() + self.gates.clock()
    }

    async fn began(&self, tx: &Tx) {
        let token = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.and_then(|open| open.holder).map(|(token, _)| token)
        };
        let Some(token) = token else { return };
        let standing = tx.opt("SELECT 1 AS one FROM tasks WHERE lease_token = $1", &[&token]).await;
        let stood = matches!(standing, Ok(Some(_)));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Open { holder: Some((_, stands)), .. }) = open.as_mut() {
            *stands = stood;
        }
    }

    async fn ending(&self, tx: &Tx) {
        let open = *self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Open { name, holder: Some((token, false)) }) = open else { return };
        let wrote = tx
            .opt("SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS wrote", &[])
            .await
            .is_ok_and(|row| row.is_some_and(|row| row.get("wrote")));
        // A try after a commit whose answer was lost may find its lease ended by itself.
        if wrote {
            let mut seen = self.violations.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(format!("{name} changed rows under token {token}, which no longer stands"));
        }
    }

    fn left(&self, _: &'static str) {
        self.gates.count_open(false);
    }
}
