//! The queue: hints that wake workers and feeds. Lost, doubled and late ones change nothing; the
//! database alone decides.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::transcode;

/// How many hints may wait for a slow reader. One that falls behind is told so and looks at the
/// database instead, so nothing is lost.
const WAITING: usize = 1024;

/// `video-transcode-queue`: some task is ready.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskHint {
    /// Version of this message.
    pub v: u8,
}

/// `video-status-updates`: something about a video changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusHint {
    /// Version of this message.
    pub v: u8,
    /// Which video.
    pub video_id: Uuid,
    /// How far its segments are; `None` when an event was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The relay's: every event up to this position can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
}

/// What is published, on one of the two topics.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// On `video-transcode-queue`.
    Task(TaskHint),
    /// On `video-status-updates`.
    Status(StatusHint),
}

/// The way of a message to whoever listens. It may lose, double and delay them.
#[async_trait]
pub trait Publish: Send + Sync {
    /// Sends a message, best effort, within a time limit of its own.
    async fn publish(&self, message: Message);
}

/// How far a video's segments are. Ephemeral: it is never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Of all its segments, 0 to 99; completion is an event.
    pub percent: u8,
    /// Of each rung's, 0 to 100.
    pub rungs: std::collections::BTreeMap<String, u8>,
}

/// The way to wake others. Clones share it.
#[derive(Clone)]
pub struct Queue {
    tasks: broadcast::Sender<TaskHint>,
    status: broadcast::Sender<StatusHint>,
    /// `None`: readers are in this process.
    publish: Option<Arc<dyn Publish>>,
}

/// What a reader of hints gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard<T> {
    /// A hint.
    Hint(T),
    /// Some were missed: look at the database.
    Missed,
    /// The queue is gone.
    Closed,
}

/// A reader of hints.
pub struct Hints<T>(broadcast::Receiver<T>);

impl<T: Clone> Hints<T> {
    /// Waits for the next hint. Safe to drop half-way.
    pub async fn next(&mut self) -> Heard<T> {
        match self.0.recv().await {
            Ok(hint) => Heard::Hint(hint),
            Err(broadcast::error::RecvError::Lagged(_)) => Heard::Missed,
            Err(broadcast::error::RecvError::Closed) => Heard::Closed,
        }
    }
}

impl Queue {
    /// A queue within this process.
    pub fn in_process() -> Self {
        let (tasks, status) = (broadcast::channel(WAITING).0, broadcast::channel(WAITING).0);
        Self { tasks, status, publish: None }
    }

    /// A queue whose messages go out by `publish`, and come in by [`Queue::deliver`].
    pub fn over(publish: Arc<dyn Publish>) -> Self {
        Self { publish: Some(publish), ..Self::in_process() }
    }

    /// Hands a message that came in to those who listen in this process.
    pub fn deliver(&self, message: Message) {
        // No reader is no error: idle workers sweep, and feeds look.
        match message {
            Message::Task(hint) => drop(self.tasks.send(hint)),
            Message::Status(hint) => drop(self.status.send(hint)),
        }
    }

    async fn publish(&self, message: Message) {
        match &self.publish {
            Some(publish) => publish.publish(message).await,
            None => self.deliver(message),
        }
    }

    /// Tells workers that some task is ready.
    pub async fn task_ready(&self) {
        self.publish(Message::Task(TaskHint { v: 1 })).await;
    }

    /// Tells feeds that a video has a new event.
    pub async fn video_changed(&self, video: Uuid) {
        let hint = StatusHint { v: 1, video_id: video, progress: None, position: None };
        self.publish(Message::Status(hint)).await;
    }

    /// Tells feeds how far a video is.
    pub async fn progress(&self, video: Uuid, progress: Progress) {
        let progress = Some(progress);
        let hint = StatusHint { v: 1, video_id: video, progress, position: None };
        self.publish(Message::Status(hint)).await;
    }

    /// Tells feeds that an event of a video, and every one before it, has its position.
    pub async fn positioned(&self, video: Uuid, position: i64) {
        let position = Some(position);
        let hint = StatusHint { v: 1, video_id: video, progress: None, position };
        self.publish(Message::Status(hint)).await;
    }

    /// Hints for a worker.
    pub fn task_hints(&self) -> Hints<TaskHint> {
        Hints(self.tasks.subscribe())
    }

    /// Hints for a feed.
    pub fn status_hints(&self) -> Hints<StatusHint> {
        Hints(self.status.subscribe())
    }
}

impl Progress {
    /// How far a video is whose renditions have `planned` segments each and `stored` of them, by
    /// resolution. The sound counts in the percentage, but is no rung. Of all it never says 100: a
    /// film without an index can turn out longer than planned, so nothing but the end is the end.
    pub fn of(planned: u32, stored: &[(String, i64)]) -> Self {
        let percent = |stored: i64, planned: i64| {
            u8::try_from((stored.max(0) * 100 / planned.max(1)).min(100)).unwrap_or(100)
        };
        let planned = i64::from(planned);
        let rungs = stored
            .iter()
            .filter(|(name, _)| name != transcode::AUDIO)
            .map(|(name, stored)| (name.clone(), percent(*stored, planned)))
            .collect();
        let all: i64 = stored.iter().map(|(_, stored)| (*stored).min(planned)).sum();
        let renditions = i64::try_from(stored.len()).unwrap_or(i64::MAX);
        Self { percent: percent(all, planned.saturating_mul(renditions)).min(99), rungs }
    }
}
