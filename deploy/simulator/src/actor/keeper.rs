//! What a gateway does beside answering: relay, janitor, and the search for uploads.

use std::time::Duration;

use reelpin_gateway::Engines;
use reelpin_gateway::steps::{self, Janitor, Mode, Relay};

use super::Env;

/// Relays, each second, at once when there is more, and on hints that are not its own.
pub(super) async fn relay(engines: Engines) {
    let mut hints = engines.queue.status_hints();
    let mut relay = Relay::new(&engines);
    loop {
        let more = relay.round().await.is_ok_and(|relayed| relayed.more);
        if more {
            continue;
        }
        tokio::select! {
            biased;
            _ = hints.next() => {}
            () = engines.ambient.sleep(Duration::from_secs(1)) => {}
        }
    }
}

/// Tidies up; each round patrols a page.
pub(super) async fn janitor(env: Env, engines: Engines) {
    let mut janitor = Janitor::new(&engines, Mode::Wet);
    loop {
        if janitor.page().await.is_ok_and(|report| report.leading && report.walked) {
            env.shared.walked();
        }
        engines.ambient.sleep(Duration::from_secs(3)).await;
    }
}

/// Looks for uploads.
pub(super) async fn finder(engines: Engines) {
    loop {
        let _ = steps::find(&engines).await;
        engines.ambient.sleep(Duration::from_secs(2)).await;
    }
}
