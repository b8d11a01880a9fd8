//! When the relay has its rounds: each second, and at once where a committer said something.

use std::time::Duration;

use reelpin_schema::queue::{Heard, Hints, StatusHint, TaskHint};

use super::Relay;
use crate::app::App;

/// The pause without a hint.
const PAUSE: Duration = Duration::from_secs(1);

/// The pause after a hint, so that hints of many commits lead to one round.
const GATHER: Duration = Duration::from_millis(20);

/// The pause while rounds fail.
const FAILING: Duration = Duration::from_secs(5);

/// The longest that a round may take, published messages included.
const ROUND: Duration = Duration::from_secs(60);

/// The longest that an ending gateway tries to let the lease go.
const RETIRE: Duration = Duration::from_secs(1);

/// Runs until the gateway stops.
pub(crate) async fn run(app: &App) {
    let mut relay = Relay::new(&app.engines);
    rounds(app, &mut relay).await;
    // Whoever comes next waits for its end otherwise.
    let _ = tokio::time::timeout(RETIRE, relay.retire()).await;
}

async fn rounds(app: &App, relay: &mut Relay) {
    let mut failing = false;
    loop {
        // Heard from before the round on: what is committed after it leads to another.
        let mut status = app.engines.queue.status_hints();
        let mut tasks = app.engines.queue.own_task_hints();
        let round = tokio::select! {
            // Its transaction commits or does not; what is not marked is said again by the next.
            () = app.stop.cancelled() => return,
            round = tokio::time::timeout(ROUND, relay.round()) => round,
        };
        let (pause, leading) = match round {
            Ok(Ok(relayed)) => {
                if failing {
                    tracing::info!("the relay works again");
                }
                failing = false;
                let pause = if relayed.more { Duration::ZERO } else { PAUSE };
                (pause, relayed.leading)
            }
            failed => {
                if !failing {
                    let why = match failed {
                        Ok(Err(e)) => e.to_string(),
                        _ => format!("no end within {} s", ROUND.as_secs()),
                    };
                    tracing::warn!("the relay cannot work and goes on trying: {why}");
                }
                failing = true;
                (FAILING, false)
            }
        };
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
            () = hinted(&mut status, &mut tasks), if leading => tokio::time::sleep(GATHER).await,
        }
    }
}

/// Waits for a hint that may be of something that the relay has not seen.
async fn hinted(status: &mut Hints<StatusHint>, tasks: &mut Hints<TaskHint>) {
    loop {
        tokio::select! {
            heard = status.next() => match heard {
                // Progress is no event, and positions are the relay's own.
                Heard::Hint(hint) if hint.progress.is_some() || hint.position.is_some() => {}
                Heard::Hint(_) | Heard::Missed => return,
                Heard::Closed => std::future::pending().await,
            },
            heard = tasks.next() => match heard {
                Heard::Hint(_) | Heard::Missed => return,
                Heard::Closed => std::future::pending().await,
            },
        }
    }
}
