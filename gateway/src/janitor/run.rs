//! When the janitor has its rounds.

use std::time::Duration;

use super::{Janitor, JanitorError, Mode};
use crate::app::App;

/// The pause between two rounds: what was deleted leaves the IPFS node so soon.
const PAUSE: Duration = Duration::from_secs(3);

/// The pause while rounds fail.
const FAILING: Duration = Duration::from_secs(30);

/// Runs until the gateway stops.
pub(crate) async fn run(app: &App, mode: Mode) {
    let mut janitor = Janitor::new(&app.engines, mode);
    let mut trouble = None;
    loop {
        let round = tokio::select! {
            // Dropped half-way, it has changed nothing that the next one does not find.
            () = app.stop.cancelled() => break,
            round = janitor.round() => round,
        };
        let error = round.map_or_else(Some, |report| report.trouble);
        // A service that refuses must not hold up what is ours.
        let ours = !matches!(error, None | Some(JanitorError::Service(_)));
        let now = error.map(|error| error.to_string());
        match &now {
            Some(why) if now != trouble => {
                tracing::warn!("the janitor cannot do all of its work and goes on trying: {why}");
            }
            None if trouble.is_some() => tracing::info!("the janitor can work again"),
            Some(_) | None => {}
        }
        let pause = if ours { FAILING } else { PAUSE };
        trouble = now;
        tokio::select! {
            () = app.stop.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    if let Err(error) = janitor.end().await {
        tracing::debug!("the janitor's lease expires: {error}");
    }
}
