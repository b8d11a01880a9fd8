//! What publishes for a process.

use std::convert::Infallible;
use std::time::Duration;

use ::pulsar::{Producer, TokioExecutor};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;

use super::line::Line;
use super::outage::Outage;
use super::{Config, Message, PUBLISH, PulsarError, STATUS, TASKS};

/// The longest that the broker may take for a receipt before the connection counts as lost. As long
/// as those who publish wait: only the first of them waits in vain for a broker that died.
const RECEIPT: Duration = PUBLISH;

/// How often an idle connection is tried, so that it is not a message that finds it broken.
const LOOK: Duration = Duration::from_secs(2);

/// How many messages may be without a receipt; the next wait.
const UNDER_WAY: usize = 256;

/// Whether it is worth waiting for a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The first connection is being made.
    Starting,
    Up,
    /// Nothing can be sent for now.
    Away,
}

/// A message and who waits for its receipt; dropped, it did not go out.
pub(super) struct Letter {
    pub(super) message: Message,
    pub(super) arrived: oneshot::Sender<()>,
}

struct Producers {
    tasks: Producer<TokioExecutor>,
    status: Producer<TokioExecutor>,
}

/// Runs until it is aborted.
pub(super) async fn run(
    config: Config,
    mut letters: mpsc::Receiver<Letter>,
    state: watch::Sender<State>,
) {
    let mut outage = Outage::new("publishing");
    loop {
        let opened = Line::open(&config, async |line| {
            line.prepare().await?;
            let tasks = line.producer(TASKS).await?;
            Ok(Producers { tasks, status: line.producer(STATUS).await? })
        });
        let why = match opened.await {
            Ok(mut producers) => {
                outage.over();
                state.send_replace(State::Up);
                let Err(why) = serve(&config, &mut producers, &mut letters).await;
                why
            }
            Err(why) => why,
        };
        state.send_replace(State::Away);
        // Their senders need not wait for what will not come.
        while letters.try_recv().is_ok() {}
        outage.pause(&why).await;
    }
}

/// Sends until something fails.
async fn serve(
    config: &Config,
    producers: &mut Producers,
    letters: &mut mpsc::Receiver<Letter>,
) -> Result<Infallible, PulsarError> {
    let late = || PulsarError::Slow { what: "an answer of the broker", limit: RECEIPT };
    let mut under_way = FuturesUnordered::new();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = look.tick() => {
                for producer in [&producers.tasks, &producers.status] {
                    let alive = tokio::time::timeout(RECEIPT, producer.check_connection()).await;
                    alive.map_err(|_| late())?.map_err(|e| PulsarError::of(e, config))?;
                }
            }
            Some(receipt) = under_way.next() => receipt?,
            Some(letter) = letters.recv(), if under_way.len() < UNDER_WAY => {
                let Letter { message, arrived } = letter;
                let bytes = message.written()?;
                let producer = match message {
                    Message::Task(_) => &mut producers.tasks,
                    Message::Status(_) => &mut producers.status,
                };
                let sent = tokio::time::timeout(RECEIPT, producer.send_non_blocking(bytes)).await;
                let receipt = sent.map_err(|_| late())?.map_err(|e| PulsarError::of(e, config))?;
                under_way.push(async move {
                    let stored = tokio::time::timeout(RECEIPT, receipt).await;
                    stored.map_err(|_| late())?.map_err(|e| PulsarError::of(e, config))?;
                    // Whoever waited may have given up.
                    let _ = arrived.send(());
                    Ok::<(), PulsarError>(())
                });
            }
        }
    }
}
