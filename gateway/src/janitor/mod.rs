//! The janitor: removes what nobody needs. Uploads that never came, objects that no row names, pins
//! that were let go, finished tasks and old tombstones.
//!
//! Of all gateways one works at a time, by a lease. What is judged needless stays so, or is decided in
//! the transaction that removes it, so a janitor that was stopped in the middle and comes back when
//! another has its lease does no harm. A dry one reports what a wet one would do, and changes nothing.

mod fence;
mod judge;
mod patrol;
mod pins;
mod report;
pub(crate) mod run;
mod uploads;
mod videos;

use std::time::Duration;

use reelpin_schema::bucket::BucketError;
use reelpin_schema::db::DbError;
use reelpin_schema::ipfs::IpfsError;
use reelpin_schema::lease;
use reelpin_schema::pinning::ServiceError;
use uuid::Uuid;

use crate::engines::Engines;
use patrol::Place;
pub use report::{Item, Report, Thing};

/// The name of its lease; the lease's note is how far the patrol has come.
const NAME: &str = "janitor";

/// How long the others wait for a janitor that went silent, by the database's clock.
const LEASE: Duration = Duration::from_secs(60);

/// The pause between two pages of the patrol, so that it burdens nobody.
const PAGE: Duration = Duration::from_secs(10);

/// The pause after everything was looked at once.
const REST: Duration = Duration::from_secs(10 * 60);

/// Whether a janitor may change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It removes what nobody needs.
    Wet,
    /// It reports what a wet one would remove.
    Dry,
}

/// What stood in a janitor's way; it goes on trying.
#[derive(Debug, thiserror::Error)]
pub enum JanitorError {
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The bucket.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The IPFS node.
    #[error(transparent)]
    Ipfs(#[from] IpfsError),
    /// A pinning service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A call was given up, since another janitor may count on its not coming any more.
    #[error("the IPFS node or a service was not told in time")]
    Late,
}

/// One of those who would tidy up.
pub struct Janitor {
    engines: Engines,
    mode: Mode,
    token: Uuid,
    /// Where the patrol goes on; `None`: where the last one noted.
    place: Option<Place>,
    /// When, by the process's clock.
    patrol_at: Duration,
}

impl Janitor {
    /// A janitor with a token of its own, which holds nothing yet.
    pub fn new(engines: &Engines, mode: Mode) -> Self {
        // A dry one notes nothing, and so begins at the beginning.
        let place = (mode == Mode::Dry).then(Place::default);
        let token = engines.ambient.uuid();
        Self { engines: engines.clone(), mode, token, place, patrol_at: Duration::ZERO }
    }

    /// The same, for one whole walk: [`Janitor::page`] until a report says that it has walked.
    #[must_use]
    pub fn from_the_beginning(mut self) -> Self {
        self.place = Some(Place::default());
        self
    }

    /// One round: takes or prolongs the lease, tells the node what to let go of, and, when it is time
    /// by the process's clock, patrols one page. Bounded; safe to drop at any point.
    ///
    /// # Errors
    /// [`JanitorError::Db`] when the lease could not be asked for; all else is told in the report, and
    /// the next round tries again.
    pub async fn round(&mut self) -> Result<Report, JanitorError> {
        self.turn(self.engines.ambient.now() >= self.patrol_at).await
    }

    /// A round with a page of the patrol, whatever the time.
    ///
    /// # Errors
    /// As [`Janitor::round`].
    pub async fn page(&mut self) -> Result<Report, JanitorError> {
        self.turn(true).await
    }

    /// Lets the lease go, so that nobody waits for it to expire.
    ///
    /// # Errors
    /// [`DbError`]; then it expires.
    pub async fn end(self) -> Result<(), DbError> {
        let token = self.token;
        match self.mode {
            Mode::Dry => Ok(()),
            Mode::Wet => {
                self.engines
                    .db
                    .run_tx("janitor.end", async move |tx| lease::release(tx, NAME, token).await)
                    .await
            }
        }
    }

    async fn turn(&mut self, patrols: bool) -> Result<Report, JanitorError> {
        let mut report = Report::new(self.mode);
        match self.mode {
            Mode::Wet => {
                report.leading = self.release(&mut report).await?;
                if !report.leading {
                    // Whoever leads notes how far it has come.
                    self.place = None;
                    return Ok(report);
                }
            }
            // What is due does not change by being looked at: once a walk is enough.
            Mode::Dry if patrols && self.place == Some(Place::default()) => {
                self.would_release(&mut report).await?;
            }
            Mode::Dry => {}
        }
        if patrols {
            let walked = self.patrol(&mut report).await;
            report.walked = report.noted(walked).unwrap_or(false);
            let pause = if report.walked { REST } else { PAGE };
            self.patrol_at = self.engines.ambient.now() + pause;
        }
        report.tell();
        Ok(report)
    }
}
