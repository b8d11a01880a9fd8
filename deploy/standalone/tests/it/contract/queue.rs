//! What Reelpin expects of its queue, whatever stands behind it. Each test is a function over a
//! stand, which gives queues as processes would have them; those that hold for Pulsar alone (what
//! outlives a process) are in modules of their own.

mod durable;
mod hints;
mod outage;
mod secured;
mod stand;

use std::time::Duration;

use reelpin_schema::queue::{Heard, Hints};

/// The longest that a test waits for something that must happen.
const SOON: Duration = Duration::from_secs(20);

/// How long a test waits for something that must not happen.
const NEVER: Duration = Duration::from_secs(1);

/// The next hint, or what else was heard. `None` after `limit`.
async fn heard<T: Clone>(hints: &mut Hints<T>, limit: Duration) -> Option<Heard<T>> {
    tokio::time::timeout(limit, hints.next()).await.ok()
}

/// The next hint itself: what says that some may have been missed is passed over.
async fn hint<T: Clone>(hints: &mut Hints<T>, limit: Duration) -> Option<T> {
    let next = async {
        loop {
            match hints.next().await {
                Heard::Hint(hint) => return Some(hint),
                Heard::Missed => {}
                Heard::Closed => return None,
            }
        }
    };
    tokio::time::timeout(limit, next).await.ok().flatten()
}
