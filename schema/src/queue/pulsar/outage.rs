//! The pauses between tries to reach a broker, and what the log says of them: a line when it goes
//! away, a line when it is back.

use std::time::Duration;

use tokio::time::Instant;

use super::PulsarError;

/// The first pause.
const FIRST: Duration = Duration::from_millis(100);

/// The longest.
const LONGEST: Duration = Duration::from_secs(5);

/// A connection that held for so long was a good one: the next pause is the first again.
const GOOD: Duration = Duration::from_secs(10);

/// How one line fares.
pub(super) struct Outage {
    /// What the line is for, as the log says it.
    what: &'static str,
    pause: Duration,
    up_since: Option<Instant>,
    away: bool,
}

impl Outage {
    /// Before the first try.
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, pause: FIRST, up_since: None, away: false }
    }

    /// The line is up.
    pub(super) fn over(&mut self) {
        self.up_since = Some(Instant::now());
        if std::mem::take(&mut self.away) {
            tracing::info!("the queue is back for {}", self.what);
        }
    }

    /// The line is lost, or did not come about. Returns when it should be tried again.
    pub(super) async fn pause(&mut self, why: &PulsarError) {
        if !std::mem::replace(&mut self.away, true) {
            tracing::warn!(
                "the queue is away for {} and is tried for ever; the database decides: {why}",
                self.what
            );
        }
        if self.up_since.take().is_some_and(|since| since.elapsed() >= GOOD) {
            self.pause = FIRST;
        }
        // Many lose a broker at once, and should not come back at once.
        let part = rand::random_range(0.5..1.0);
        tokio::time::sleep(self.pause.mul_f64(part)).await;
        self.pause = (self.pause * 2).min(LONGEST);
    }
}
