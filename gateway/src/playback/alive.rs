//! Whether a video may be played at all, remembered for a short time, since every segment asks.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reelpin_schema::video::{self, Status};
use tokio::time::Instant;
use uuid::Uuid;

use crate::app::App;
use crate::problem::Problem;

/// How long an answer is believed: so long a deleted video may be served by another gateway.
const BELIEVED: Duration = Duration::from_secs(2);

/// The most answers kept; more, and the old ones go.
const MOST: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Alive,
    Deleted,
    Missing,
}

/// Answers of the last seconds.
#[derive(Default)]
pub(crate) struct Cache(Mutex<HashMap<Uuid, (Instant, Known)>>);

impl Cache {
    fn get(&self, id: Uuid) -> Option<Known> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&id).filter(|(at, _)| at.elapsed() < BELIEVED).map(|(_, known)| *known)
    }

    fn put(&self, id: Uuid, answer: Known) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (at, _)| at.elapsed() < BELIEVED);
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(id, (Instant::now(), answer));
    }

    /// Forgets a video that just changed.
    pub(crate) fn forget(&self, id: Uuid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

/// Refuses what is deleted or was never there.
pub(crate) async fn check(app: &App, id: Uuid) -> Result<(), Problem> {
    let known = match app.alive.get(id) {
        Some(known) => known,
        None => {
            let found = app
                .engines
                .db
                .run_tx("playback.alive", async move |tx| video::status(tx, id).await)
                .await?;
            let known = match found {
                Some(Status::Deleted) => Known::Deleted,
                Some(_) => Known::Alive,
                None => Known::Missing,
            };
            app.alive.put(id, known);
            known
        }
    };
    match known {
        Known::Alive => Ok(()),
        Known::Deleted => Err(Problem::video_deleted()),
        Known::Missing => Err(Problem::video_not_found()),
    }
}
