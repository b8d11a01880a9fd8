//! The one who hears of changes for all sockets of a process: from the queue's hints at once, and
//! from the table with each look, so that a lost hint costs the time until the next and nothing
//! else. A plain state machine: what drives it is [`super::run`], or a scheduler.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reelpin_schema::db::{Db, DbError};
use reelpin_schema::queue::StatusHint;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::look::{Found, FoundAll, FoundVideo, Known, Wanted, look};
use super::message::Say;
use super::seat::{Command, Handle, Update};

/// What sockets of this process watch, and what they were told.
pub struct Hub {
    db: Db,
    handle: Handle,
    commands: mpsc::Receiver<Command>,
    sockets: BTreeMap<u64, Socket>,
    videos: BTreeMap<Uuid, Watched>,
    /// Videos to look at.
    dirty: BTreeSet<Uuid>,
    all: All,
}

struct Socket {
    to: mpsc::Sender<Update>,
    slow: CancellationToken,
    videos: BTreeSet<Uuid>,
    /// Something in the order of all events found no place: it is told once there is one.
    behind: bool,
}

#[derive(Default)]
struct Watched {
    /// The last event that sockets were told of; unknown until the first look.
    last: Option<i64>,
    sockets: BTreeSet<u64>,
}

/// Those who follow all videos.
#[derive(Default)]
struct All {
    /// The last position that they were told of; unknown until the first look.
    last: Option<i64>,
    sockets: BTreeSet<u64>,
    /// There may be more in the table.
    dirty: bool,
}

impl Hub {
    /// A hub that nobody has joined.
    pub fn new(db: Db) -> Self {
        let (handle, commands) = Handle::new();
        Self {
            db,
            handle,
            commands,
            sockets: BTreeMap::new(),
            videos: BTreeMap::new(),
            dirty: BTreeSet::new(),
            all: All::default(),
        }
    }

    /// The way for sockets to join.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Takes a hint: progress is told at once, anything else is looked at in the next round.
    pub fn hear(&mut self, hint: &StatusHint) {
        self.obey_waiting();
        if let Some(progress) = &hint.progress {
            let text = Say::Progress { video_id: hint.video_id, progress }.text();
            let named = self.videos.get(&hint.video_id).map(|watched| &watched.sockets);
            let listeners: BTreeSet<u64> =
                named.into_iter().chain([&self.all.sockets]).flatten().copied().collect();
            for socket in listeners.iter().filter_map(|id| self.sockets.get(id)) {
                let update = Update::Progress { video: hint.video_id, text: text.clone() };
                // No place: the next progress says the same and more.
                let _ = socket.to.try_send(update);
            }
            return;
        }
        if self.videos.contains_key(&hint.video_id) {
            self.dirty.insert(hint.video_id);
        }
        if let Some(position) = hint.position
            && self.all.last.is_none_or(|last| last < position)
        {
            self.all.dirty = true;
        }
    }

    /// Hints may have been lost: everything that is watched is looked at in the next round.
    pub fn doubt(&mut self) {
        self.dirty.extend(self.videos.keys());
        self.all.dirty = true;
    }

    /// Looks once at what may have changed, and tells the sockets that watch it.
    ///
    /// # Errors
    /// [`DbError`]; what was to be looked at comes with the next [`Hub::doubt`].
    pub async fn round(&mut self) -> Result<(), DbError> {
        self.obey_waiting();
        let Some(wanted) = self.wanted() else { return Ok(()) };
        let found = look(self.db.clone(), wanted).await?;
        self.tell(found);
        Ok(())
    }

    /// Waits for a socket to ask something.
    pub(super) async fn asked(&mut self) -> Option<Command> {
        self.commands.recv().await
    }

    pub(super) fn db(&self) -> &Db {
        &self.db
    }

    pub(super) fn obey_waiting(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            self.obey(command);
        }
    }

    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::Join { socket, to, slow } => {
                let place = Socket { to, slow, videos: BTreeSet::new(), behind: false };
                self.sockets.insert(socket, place);
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
            Command::WatchAll { socket } => {
                if self.sockets.contains_key(&socket) {
                    self.all.sockets.insert(socket);
                }
            }
            Command::UnwatchAll { socket } => self.forget_all(socket),
            Command::Leave { socket } => {
                let Some(place) = self.sockets.remove(&socket) else { return };
                for video in place.videos {
                    forget(&mut self.videos, video, socket);
                }
                self.forget_all(socket);
            }
        }
    }

    /// What the next look asks for; `None` when nothing that is watched may have changed.
    pub(super) fn wanted(&mut self) -> Option<Wanted> {
        let dirty = std::mem::take(&mut self.dirty);
        let videos: Vec<_> = dirty
            .into_iter()
            .filter_map(|video| self.videos.get(&video).map(|watched| (video, watched.last)))
            .collect();
        let all = std::mem::take(&mut self.all.dirty) && !self.all.sockets.is_empty();
        let all = all.then_some(Known(self.all.last));
        (!videos.is_empty() || all.is_some()).then_some(Wanted { videos, all })
    }

    /// Tells what a look found, also to those who began to watch before it: they may have read the
    /// table before the look did.
    pub(super) fn tell(&mut self, found: Found) {
        self.obey_waiting();
        for video in found.videos {
            self.tell_video(video);
        }
        if let Some(all) = found.all {
            self.tell_all(all);
        }
    }

    fn tell_video(&mut self, found: FoundVideo) {
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
            if let Err(TrySendError::Full(_)) = socket.to.try_send(update) {
                socket.slow.cancel();
            }
        }
    }

    fn tell_all(&mut self, found: FoundAll) {
        let All { last, sockets, dirty } = &mut self.all;
        if sockets.is_empty() {
            return;
        }
        let news = last.is_none_or(|last| last < found.last);
        let reaches = last.map_or(found.last, |last| last.max(found.last));
        *last = Some(reaches);
        *dirty |= found.more;
        for id in sockets.iter() {
            let Some(socket) = self.sockets.get_mut(id) else { continue };
            let update = match socket.behind {
                true => Update::Positions { since: reaches, last: reaches, frames: Arc::default() },
                false if news => Update::Positions {
                    since: found.since,
                    last: found.last,
                    frames: found.frames.clone(),
                },
                false => continue,
            };
            socket.behind = matches!(socket.to.try_send(update), Err(TrySendError::Full(_)));
        }
    }

    fn forget_all(&mut self, socket: u64) {
        self.all.sockets.remove(&socket);
        if let Some(place) = self.sockets.get_mut(&socket) {
            place.behind = false;
        }
        if self.all.sockets.is_empty() {
            self.all = All::default();
        }
    }
}

fn forget(videos: &mut BTreeMap<Uuid, Watched>, video: Uuid, socket: u64) {
    if let Some(watched) = videos.get_mut(&video) {
        watched.sockets.remove(&socket);
        if watched.sockets.is_empty() {
            videos.remove(&video);
        }
    }
}
