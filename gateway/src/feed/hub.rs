//! The one task that hears of changes: from the queue's hints at once, and from the table each
//! second, so that a lost hint costs a second and nothing else.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use reelpin_schema::db::{Db, DbError};
use reelpin_schema::queue::{Heard, Hints, Queue, StatusHint};
use reelpin_schema::{event, video};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::message::Say;

/// How often the table is looked at without a hint.
const POLL: Duration = Duration::from_secs(1);

/// The most events of a video that one look reads; the rest comes with the next.
pub(super) const EVENTS: i64 = 200;

/// The most videos in one statement.
const IDS: usize = 2000;

/// How many commands may wait for the hub; sockets wait for a place.
const COMMANDS: usize = 256;

/// How many updates may wait for a socket. Progress that finds no place is dropped; an event that
/// finds none ends the socket as too slow.
const UPDATES: usize = 256;

/// What a socket hears.
#[derive(Debug, Clone)]
pub(super) enum Update {
    /// A video's events reach up to `last`; `frames` are the newest of them, in order.
    Events { video: Uuid, last: i64, frames: Arc<[Frame]> },
    /// How far a video is, ready to be sent.
    Progress { video: Uuid, text: Utf8Bytes },
}

/// An event, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) seq: i64,
    pub(super) text: Utf8Bytes,
}

impl Frame {
    pub(super) fn new(video_id: Uuid, event: &event::Numbered) -> Self {
        Self { seq: event.seq, text: Say::Event { video_id, event }.text() }
    }
}

enum Command {
    Join { socket: u64, to: mpsc::Sender<Update>, slow: CancellationToken },
    Watch { socket: u64, videos: Vec<Uuid> },
    Unwatch { socket: u64, videos: Vec<Uuid> },
    Leave { socket: u64 },
}

/// How sockets reach the hub.
#[derive(Clone)]
pub(crate) struct Handle {
    commands: mpsc::Sender<Command>,
    next: Arc<AtomicU64>,
}

/// A socket's place at the hub.
pub(super) struct Seat {
    socket: u64,
    commands: mpsc::Sender<Command>,
    pub(super) updates: mpsc::Receiver<Update>,
    /// Cancelled when an event found no place in `updates`.
    pub(super) slow: CancellationToken,
}

/// The hub is gone: the gateway is ending.
#[derive(Debug)]
pub(super) struct Ended;

impl Handle {
    pub(super) async fn join(&self) -> Result<Seat, Ended> {
        let socket = self.next.fetch_add(1, Ordering::Relaxed);
        let (to, updates) = mpsc::channel(UPDATES);
        let slow = CancellationToken::new();
        let join = Command::Join { socket, to, slow: slow.clone() };
        self.commands.send(join).await.map_err(|_| Ended)?;
        Ok(Seat { socket, commands: self.commands.clone(), updates, slow })
    }
}

impl Seat {
    /// From when this returns, every event stored later is heard of.
    pub(super) async fn watch(&self, videos: Vec<Uuid>) -> Result<(), Ended> {
        self.commands.send(Command::Watch { socket: self.socket, videos }).await.map_err(|_| Ended)
    }

    pub(super) async fn unwatch(&self, videos: Vec<Uuid>) -> Result<(), Ended> {
        let unwatch = Command::Unwatch { socket: self.socket, videos };
        self.commands.send(unwatch).await.map_err(|_| Ended)
    }

    pub(super) async fn leave(self) {
        // Gone with the hub is gone too.
        let _ = self.commands.send(Command::Leave { socket: self.socket }).await;
    }
}

struct Socket {
    to: mpsc::Sender<Update>,
    slow: CancellationToken,
    videos: HashSet<Uuid>,
}

#[derive(Default)]
struct Watched {
    /// The last event that sockets were told of; unknown until the first look.
    last: Option<i64>,
    sockets: HashSet<u64>,
}

/// The hub's task.
pub(crate) struct Hub {
    db: Db,
    hints: Hints<StatusHint>,
    commands: mpsc::Receiver<Command>,
    sockets: HashMap<u64, Socket>,
    videos: HashMap<Uuid, Watched>,
    /// Videos to look at.
    dirty: HashSet<Uuid>,
}

/// A hub that hears from now on, to be run.
pub(crate) fn prepare(db: Db, queue: Queue) -> (Handle, Hub) {
    let (to, commands) = mpsc::channel(COMMANDS);
    let hub = Hub {
        db,
        hints: queue.status_hints(),
        commands,
        sockets: HashMap::new(),
        videos: HashMap::new(),
        dirty: HashSet::new(),
    };
    (Handle { commands: to, next: Arc::default() }, hub)
}

impl Hub {
    /// Runs until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut hinted = true;
        // At most one look at a time, beside this loop, so that a slow database delays no hint.
        let mut looks: JoinSet<Result<Vec<Found>, DbError>> = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(command) = self.commands.recv() => self.obey(command),
                heard = self.hints.next(), if hinted => match heard {
                    Heard::Hint(hint) => self.hear(&hint),
                    Heard::Missed => self.dirty.extend(self.videos.keys()),
                    Heard::Closed => hinted = false,
                },
                _ = poll.tick() => self.dirty.extend(self.videos.keys()),
                Some(looked) = looks.join_next() => match looked {
                    Ok(Ok(found)) => found.into_iter().for_each(|found| self.tell(found)),
                    Ok(Err(e)) => tracing::warn!("events could not be read for the feed: {e}"),
                    Err(e) => tracing::error!("reading events for the feed panicked: {e}"),
                },
            }
            if looks.is_empty() && !self.dirty.is_empty() {
                let wanted = self.wanted();
                if !wanted.is_empty() {
                    looks.spawn(look(self.db.clone(), wanted));
                }
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Join { socket, to, slow } => {
                self.sockets.insert(socket, Socket { to, slow, videos: HashSet::new() });
            }
            Command::Watch { socket, videos } => {
                let Some(place) = self.sockets.get_mut(&socket) else { return };
                for video in videos {
                    place.videos.insert(video);
                    self.videos.entry(video).or_default().sockets.insert(socket);
                }
            }
            Command::Unwatch { socket, videos } => {
                let Some(place) = self.sockets.get_mut(&socket) else { return };
                for video in videos {
                    place.videos.remove(&video);
                    forget(&mut self.videos, video, socket);
                }
            }
            Command::Leave { socket } => {
                let Some(place) = self.sockets.remove(&socket) else { return };
                for video in place.videos {
                    forget(&mut self.videos, video, socket);
                }
            }
        }
    }

    fn hear(&mut self, hint: &StatusHint) {
        let Some(watched) = self.videos.get(&hint.video_id) else { return };
        let Some(progress) = &hint.progress else {
            self.dirty.insert(hint.video_id);
            return;
        };
        let text = Say::Progress { video_id: hint.video_id, progress }.text();
        for socket in watched.sockets.iter().filter_map(|id| self.sockets.get(id)) {
            let update = Update::Progress { video: hint.video_id, text: text.clone() };
            // No place: the next progress says the same and more.
            let _ = socket.to.try_send(update);
        }
    }

    /// What the next look asks for.
    fn wanted(&mut self) -> Vec<(Uuid, Option<i64>)> {
        self.dirty
            .drain()
            .filter_map(|video| self.videos.get(&video).map(|watched| (video, watched.last)))
            .collect()
    }

    fn tell(&mut self, found: Found) {
        let Some(watched) = self.videos.get_mut(&found.video) else { return };
        if watched.last.is_some_and(|last| last >= found.last) {
            return;
        }
        watched.last = Some(found.last);
        if found.more {
            self.dirty.insert(found.video);
        }
        for socket in watched.sockets.iter().filter_map(|id| self.sockets.get(id)) {
            let update = Update::Events {
                video: found.video,
                last: found.last,
                frames: found.frames.clone(),
            };
            if let Err(mpsc::error::TrySendError::Full(_)) = socket.to.try_send(update) {
                socket.slow.cancel();
            }
        }
    }
}

fn forget(videos: &mut HashMap<Uuid, Watched>, video: Uuid, socket: u64) {
    if let Some(watched) = videos.get_mut(&video) {
        watched.sockets.remove(&socket);
        if watched.sockets.is_empty() {
            videos.remove(&video);
        }
    }
}

/// What a look found of a video.
struct Found {
    video: Uuid,
    last: i64,
    /// Those after what was known, when something was known.
    frames: Arc<[Frame]>,
    /// There are more than one look reads.
    more: bool,
}

/// Reads what is new of these videos: one statement for all, and one for each that changed.
async fn look(db: Db, wanted: Vec<(Uuid, Option<i64>)>) -> Result<Vec<Found>, DbError> {
    let mut found = Vec::new();
    for part in wanted.chunks(IDS) {
        let part = part.to_vec();
        let more = db.run_tx("feed.look", async move |tx| look_in(tx, &part).await).await?;
        found.extend(more);
    }
    Ok(found)
}

async fn look_in(
    tx: &reelpin_schema::db::Tx,
    wanted: &[(Uuid, Option<i64>)],
) -> Result<Vec<Found>, DbError> {
    let known: HashMap<Uuid, Option<i64>> = wanted.iter().copied().collect();
    let ids: Vec<Uuid> = known.keys().copied().collect();
    let mut found = Vec::new();
    for (video, stored) in video::last_events(tx, &ids).await? {
        let Some(since) = known.get(&video).copied().flatten() else {
            found.push(Found { video, last: stored, frames: Arc::default(), more: false });
            continue;
        };
        if stored <= since {
            continue;
        }
        let events = event::since(tx, video, since, EVENTS).await?;
        let last = events.last().map_or(stored, |event| event.seq);
        let frames = events.iter().map(|event| Frame::new(video, event)).collect();
        found.push(Found { video, last, frames, more: last < stored });
    }
    Ok(found)
}
