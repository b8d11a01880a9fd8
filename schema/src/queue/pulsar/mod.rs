//! The queue over Apache Pulsar. Three kinds of connections, each with an owner that rebuilds it for
//! ever: one of a process that publishes, one that listens to status updates, and one for each
//! worker that waits for work.

mod check;
mod error;
mod line;
mod outage;
mod publisher;
mod status;
mod tasks;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::BoxStream;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinSet;

pub use self::check::check;
pub use self::error::PulsarError;
use self::publisher::{Letter, State};
use super::{Heard, Message, StatusHint, TaskHint};
use crate::secret::Secret;

/// Topic of the hints for workers.
pub const TASKS: &str = "video-transcode-queue";

/// The durable subscription on [`TASKS`] that all workers share.
pub const WORKERS: &str = "workers";

/// Topic of the hints for feeds.
pub const STATUS: &str = "video-status-updates";

/// The longest that whoever publishes waits for the broker's receipt.
const PUBLISH: Duration = Duration::from_secs(2);

/// How many messages may wait to be sent; more are left to the relay.
const BUFFER: usize = 1024;

/// Where the broker is and who we are to it.
#[derive(Debug, Clone)]
pub struct Config {
    /// `pulsar://HOST:PORT`, or `pulsar+ssl://` for TLS.
    pub url: String,
    /// A JSON web token, when the broker asks for one.
    pub token: Option<Secret>,
    /// A PEM file of certificates to trust beside the public authorities. It is read anew for each
    /// connection, so it may be replaced while we run.
    pub ca: Option<PathBuf>,
    /// `TENANT/NAMESPACE` of the topics.
    pub namespace: String,
}

impl Config {
    /// The full name of a topic.
    fn topic(&self, name: &str) -> String {
        format!("persistent://{}/{name}", self.namespace)
    }
}

/// The tasks that talk to the broker; they end with it.
pub struct Broker {
    config: Config,
    letters: mpsc::Sender<Letter>,
    state: watch::Receiver<State>,
    running: Mutex<Running>,
}

struct Running {
    tasks: JoinSet<()>,
    listening: bool,
}

impl Broker {
    pub(super) fn start(config: Config) -> Self {
        crate::tls::provider();
        let (letters, received) = mpsc::channel(BUFFER);
        let (says, state) = watch::channel(State::Starting);
        let mut tasks = JoinSet::new();
        tasks.spawn(publisher::run(config.clone(), received, says));
        let running = Mutex::new(Running { tasks, listening: false });
        Self { config, letters, state, running }
    }

    /// Whether the broker has it, within [`PUBLISH`]; at once when it is known to be away.
    pub(super) async fn publish(&self, message: Message) -> bool {
        if *self.state.borrow() == State::Away {
            return false;
        }
        let (arrived, receipt) = oneshot::channel();
        if self.letters.try_send(Letter { message, arrived }).is_err() {
            return false;
        }
        matches!(tokio::time::timeout(PUBLISH, receipt).await, Ok(Ok(())))
    }

    pub(super) fn task_hints(&self) -> BoxStream<'static, Heard<TaskHint>> {
        tasks::hints(self.config.clone())
    }

    /// Starts the process's one reader, unless it runs.
    pub(super) fn listen(&self, to: &broadcast::Sender<Heard<StatusHint>>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut running.listening, true) {
            running.tasks.spawn(status::run(self.config.clone(), to.clone()));
        }
    }
}
