//! How sockets reach the hub, and what they hear from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::ws::Utf8Bytes;
use reelpin_schema::event::{Numbered, Positioned};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::cursor::Cursor;
use super::message::{Close, Say};

/// How many commands may wait for the hub; sockets wait for a place.
const COMMANDS: usize = 256;

/// How many updates may wait for a socket. Progress that finds no place is dropped; an event of a
/// video that finds none ends the socket as too slow; of those in the order of all events it is told
/// later that there are some, and reads them itself.
const UPDATES: usize = 256;

/// What a socket hears.
#[derive(Debug, Clone)]
pub(super) enum Update {
    /// A video's events reach up to `last`; `frames` are the newest of them, in order.
    Events { video: Uuid, last: i64, frames: Arc<[Frame]> },
    /// The order of all events reaches up to `last`; `frames` are those after `since`.
    Positions { since: i64, last: i64, frames: Arc<[Placed]> },
    /// How far a video is, ready to be sent.
    Progress { video: Uuid, text: Utf8Bytes },
}

/// An event of a video, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) seq: i64,
    pub(super) text: Utf8Bytes,
}

impl Frame {
    pub(super) fn new(video_id: Uuid, event: &Numbered) -> Self {
        Self { seq: event.seq, text: Say::Event { video_id, event, cursor: None }.text() }
    }
}

/// An event in the order of all, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) position: i64,
    pub(super) video: Uuid,
    pub(super) seq: i64,
    pub(super) text: Utf8Bytes,
}

impl Placed {
    pub(super) fn new(positioned: &Positioned) -> Self {
        let Positioned { position, video, event } = positioned;
        let cursor = Some(Cursor(*position));
        let text = Say::Event { video_id: *video, event, cursor }.text();
        Self { position: *position, video: *video, seq: event.seq, text }
    }
}

/// What a socket asks of the hub.
pub(super) enum Command {
    Join { socket: u64, to: mpsc::Sender<Update>, slow: CancellationToken },
    Watch { socket: u64, videos: Vec<Uuid> },
    Unwatch { socket: u64, videos: Vec<Uuid> },
    WatchAll { socket: u64 },
    UnwatchAll { socket: u64 },
    Leave { socket: u64 },
}

/// The way to a hub. Clones share it.
#[derive(Clone)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    next: Arc<AtomicU64>,
}

/// A socket's place at the hub.
pub struct Seat {
    socket: u64,
    commands: mpsc::Sender<Command>,
    pub(super) updates: mpsc::Receiver<Update>,
    /// Cancelled when an event of a video found no place in `updates`.
    pub(super) slow: CancellationToken,
}

impl Handle {
    /// A handle, and where its hub hears.
    pub(super) fn new() -> (Self, mpsc::Receiver<Command>) {
        let (commands, heard) = mpsc::channel(COMMANDS);
        (Self { commands, next: Arc::default() }, heard)
    }

    /// Takes a place. Waits while very many commands wait for the hub.
    ///
    /// # Errors
    /// [`Close::Stopping`] when the hub is gone.
    pub async fn join(&self) -> Result<Seat, Close> {
        let socket = self.next.fetch_add(1, Ordering::Relaxed);
        let (to, updates) = mpsc::channel(UPDATES);
        let seat = Seat {
            socket,
            commands: self.commands.clone(),
            updates,
            slow: CancellationToken::new(),
        };
        seat.ask(Command::Join { socket, to, slow: seat.slow.clone() }).await?;
        Ok(seat)
    }
}

impl Seat {
    /// From when this returns, every event stored later is heard of.
    pub(super) async fn watch(&self, videos: Vec<Uuid>) -> Result<(), Close> {
        self.ask(Command::Watch { socket: self.socket, videos }).await
    }

    pub(super) async fn unwatch(&self, videos: Vec<Uuid>) -> Result<(), Close> {
        self.ask(Command::Unwatch { socket: self.socket, videos }).await
    }

    /// From when this returns, every event that gets its position later is heard of.
    pub(super) async fn watch_all(&self) -> Result<(), Close> {
        self.ask(Command::WatchAll { socket: self.socket }).await
    }

    pub(super) async fn unwatch_all(&self) -> Result<(), Close> {
        self.ask(Command::UnwatchAll { socket: self.socket }).await
    }

    pub(super) async fn leave(self) {
        // Gone with the hub is gone too.
        let _ = self.ask(Command::Leave { socket: self.socket }).await;
    }

    async fn ask(&self, command: Command) -> Result<(), Close> {
        self.commands.send(command).await.map_err(|_| Close::Stopping)
    }
}
