//! A gateway's feed as a process wires it: one hub, and a session for each follower.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use reelpin_gateway::Engines;
use reelpin_gateway::steps::feed::{Close, Hub, Out, Session, Utf8Bytes};
use reelpin_schema::queue::Heard;

use super::Env;
use super::follower::Line;
use super::shared::Shared;

/// How many gateways followers choose from.
const GATEWAYS: usize = 2;

/// A follower's end of its connection.
struct Ear {
    shared: Arc<Shared>,
    number: usize,
    gateway: usize,
}

impl Out for Ear {
    async fn send(&mut self, text: Utf8Bytes) -> Result<(), Close> {
        let heard = self.shared.follower(self.number, |follower| {
            let open = follower.line == Line::Open(self.gateway);
            if open {
                follower.hear(&text);
            }
            open
        });
        if heard == Some(true) { Ok(()) } else { Err(Close::Gone) }
    }
}

/// Lives until it is killed.
pub(super) async fn live(env: Env, engines: Engines, number: usize) {
    let mut hints = engines.queue.status_hints();
    let mut hub = Hub::new(engines.db.clone());
    let mut sessions: BTreeMap<usize, Session<Ear>> = BTreeMap::new();
    loop {
        let gone: Vec<usize> = sessions
            .keys()
            .copied()
            .filter(|id| env.shared.follower(*id, |f| f.line) != Some(Line::Open(number)))
            .collect();
        for id in gone {
            if let Some(session) = sessions.remove(&id) {
                session.leave().await;
            }
        }
        for id in env.shared.wanting(number, GATEWAYS) {
            let ear = Ear { shared: Arc::clone(&env.shared), number: id, gateway: number };
            let Ok(seat) = hub.handle().join().await else { continue };
            let mut session = Session::new(engines.db.clone(), seat, ear);
            let Some(follower) = env.shared.follower(id, |follower| {
                follower.line = Line::Open(number);
                follower.clone()
            }) else {
                continue;
            };
            let subscribed = match follower.video {
                Some(video) => {
                    let since: HashMap<_, _> =
                        follower.known.get(&video).map(|seq| (video, *seq)).into_iter().collect();
                    session.subscribe(vec![video], &since).await
                }
                None => session.subscribe_all(follower.cursor.as_deref()).await,
            };
            keep(&env, &mut sessions, id, number, session, subscribed).await;
        }
        let _ = hub.round().await;
        for id in sessions.keys().copied().collect::<Vec<_>>() {
            if let Some(mut session) = sessions.remove(&id) {
                let passed = session.pass_on_waiting().await.map(drop);
                keep(&env, &mut sessions, id, number, session, passed).await;
            }
        }
        tokio::select! {
            biased;
            heard = hints.next() => match heard {
                Heard::Hint(hint) => hub.hear(&hint),
                Heard::Missed | Heard::Closed => hub.doubt(),
            },
            () = engines.ambient.sleep(Duration::from_secs(1)) => hub.doubt(),
        }
    }
}

/// Keeps a session that goes on; of one that does not, the follower comes back.
async fn keep(
    env: &Env,
    sessions: &mut BTreeMap<usize, Session<Ear>>,
    id: usize,
    gateway: usize,
    session: Session<Ear>,
    done: Result<(), Close>,
) {
    if done.is_ok() {
        sessions.insert(id, session);
        return;
    }
    session.leave().await;
    env.shared.follower(id, |follower| {
        if follower.line == Line::Open(gateway) {
            follower.line = Line::Wanted(gateway + 1);
        }
    });
}
