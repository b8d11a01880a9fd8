//! The queue: hints that wake workers and feeds. Lost, doubled and late ones change nothing; the
//! database alone decides.

mod hints;
mod message;
mod progress;
pub mod pulsar;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::broadcast;
use uuid::Uuid;

pub use self::hints::{Heard, Hints};
pub use self::message::{Message, StatusHint, TaskHint};
pub use self::progress::Progress;

/// How many hints may wait for a slow reader. One that falls behind is told so and looks at the
/// database instead, so nothing is lost.
const WAITING: usize = 1024;

/// The way of a message to whoever listens. It may lose, double and delay them.
#[async_trait]
pub trait Publish: Send + Sync {
    /// Sends a message, best effort, within a time limit of its own. False when it surely or
    /// perhaps did not go out, so that the relay says it again.
    async fn publish(&self, message: Message) -> bool;
}

/// The way to wake others. Clones share it; the last one takes its connections with it.
#[derive(Clone)]
pub struct Queue {
    tasks: broadcast::Sender<Heard<TaskHint>>,
    status: broadcast::Sender<Heard<StatusHint>>,
    /// What this process itself tells workers.
    own: broadcast::Sender<Heard<TaskHint>>,
    way: Way,
}

#[derive(Clone)]
enum Way {
    /// Whoever listens is in this process.
    Here,
    /// Messages come in by [`Queue::deliver`].
    Over(Arc<dyn Publish>),
    Pulsar(Arc<pulsar::Broker>),
}

impl Queue {
    /// A queue within this process.
    pub fn in_process() -> Self {
        Self::by(Way::Here)
    }

    /// A queue whose messages go out by `publish`, and come in by [`Queue::deliver`].
    pub fn over(publish: Arc<dyn Publish>) -> Self {
        Self::by(Way::Over(publish))
    }

    /// A queue over Apache Pulsar, for many machines. Returns at once, within a runtime: it makes
    /// topics and the workers' subscription first, in the background, and goes on trying while no
    /// broker answers.
    pub fn pulsar(config: pulsar::Config) -> Self {
        Self::by(Way::Pulsar(Arc::new(pulsar::Broker::start(config))))
    }

    /// By the settings: over Pulsar where one is named, else within this process.
    pub fn of(settings: Option<pulsar::Config>) -> Self {
        settings.map_or_else(Self::in_process, Self::pulsar)
    }

    fn by(way: Way) -> Self {
        let (tasks, own) = (broadcast::channel(WAITING).0, broadcast::channel(WAITING).0);
        Self { tasks, status: broadcast::channel(WAITING).0, own, way }
    }

    /// Hands a message that came in to those who listen in this process.
    pub fn deliver(&self, message: Message) {
        // No reader is no error: idle workers sweep, and feeds look.
        match message {
            Message::Task(hint) => drop(self.tasks.send(Heard::Hint(hint))),
            Message::Status(hint) => drop(self.status.send(Heard::Hint(hint))),
        }
    }

    async fn publish(&self, message: Message) -> bool {
        if let Message::Task(hint) = &message {
            drop(self.own.send(Heard::Hint(hint.clone())));
        }
        match &self.way {
            Way::Here => {
                self.deliver(message);
                true
            }
            Way::Over(publish) => publish.publish(message).await,
            Way::Pulsar(broker) => {
                let sent = broker.publish(message.clone()).await;
                if !sent {
                    // The feeds of this process at least need not wait for their next look.
                    self.deliver(message);
                }
                sent
            }
        }
    }

    /// Tells workers that some task is ready. False when it perhaps did not go out.
    pub async fn task_ready(&self) -> bool {
        self.publish(Message::Task(TaskHint { v: 1 })).await
    }

    /// Tells feeds that a video has a new event. False when it perhaps did not go out.
    pub async fn video_changed(&self, video: Uuid) -> bool {
        let hint = StatusHint { v: 1, video_id: video, progress: None, position: None };
        self.publish(Message::Status(hint)).await
    }

    /// Tells feeds how far a video is. False when it perhaps did not go out.
    pub async fn progress(&self, video: Uuid, progress: Progress) -> bool {
        let progress = Some(progress);
        let hint = StatusHint { v: 1, video_id: video, progress, position: None };
        self.publish(Message::Status(hint)).await
    }

    /// Tells feeds that an event of a video, and every one before it, has its position. False when
    /// it perhaps did not go out.
    pub async fn positioned(&self, video: Uuid, position: i64) -> bool {
        let position = Some(position);
        let hint = StatusHint { v: 1, video_id: video, progress: None, position };
        self.publish(Message::Status(hint)).await
    }

    /// Hints for a worker. Among processes each goes to one of those who hold such `Hints` and wait
    /// for the next; whoever has no room for work drops his, so that they go to others.
    pub fn task_hints(&self) -> Hints<TaskHint> {
        match &self.way {
            Way::Pulsar(broker) => Hints::on_demand(broker.task_hints()),
            _ => Hints::shared(self.tasks.subscribe()),
        }
    }

    /// What this process itself tells workers: it takes no worker's hint away.
    pub fn own_task_hints(&self) -> Hints<TaskHint> {
        Hints::shared(self.own.subscribe())
    }

    /// Hints for a feed: everyone hears all of them.
    pub fn status_hints(&self) -> Hints<StatusHint> {
        let hints = Hints::shared(self.status.subscribe());
        if let Way::Pulsar(broker) = &self.way {
            broker.listen(&self.status);
        }
        hints
    }
}
