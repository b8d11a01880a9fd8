//! One client of the feed: its place in each video's events and in the order of all, and what it
//! is sent. Where that goes is given.

use std::collections::{BTreeMap, HashMap, HashSet};

use axum::extract::ws::Utf8Bytes;
use reelpin_schema::db::{Db, DbError, Tx};
use reelpin_schema::{event, video};
use uuid::Uuid;

use super::cursor::Cursor;
use super::look::EVENTS;
use super::message::{Ask, Close, Say};
use super::seat::{Frame, Placed, Seat, Update};

/// The most videos of one client.
const VIDEOS: usize = 500;

/// Where a session's messages go: a WebSocket, or what a scheduler looks at.
pub trait Out: Send {
    /// Sends one message, JSON text. Waits while the client is slow, within a limit of its own.
    fn send(&mut self, text: Utf8Bytes) -> impl Future<Output = Result<(), Close>> + Send;
}

/// One client of the feed.
///
/// Each event comes once. Of a client that follows all videos, and some by name too, it comes with
/// its cursor, in the order of all; only what a subscription by name itself brings (the snapshot,
/// and what is missing between `since` and the snapshot) comes without, and is not repeated.
///
/// Every step may be dropped, and the session with it; only then does the client come back with
/// `since` or a cursor.
pub struct Session<O> {
    db: Db,
    seat: Seat,
    pub(super) out: O,
    /// The last event sent, or skipped on purpose, of each video.
    places: BTreeMap<Uuid, i64>,
    /// The last position sent, or skipped on purpose, of one who follows all.
    all: Option<i64>,
}

/// Why the database did not answer is told in the log, not to the client.
impl From<DbError> for Close {
    fn from(e: DbError) -> Self {
        tracing::warn!("a feed could not be read: {e}");
        Self::TryLater
    }
}

impl<O: Out> Session<O> {
    /// A session that follows nothing yet.
    pub fn new(db: Db, seat: Seat, out: O) -> Self {
        Self { db, seat, out, places: BTreeMap::new(), all: None }
    }

    /// Takes a message of the client: subscribe and unsubscribe, as `/ws` in the API's description
    /// tells. What cannot be understood is answered in words.
    ///
    /// # Errors
    /// [`Close`]: the session cannot go on.
    pub async fn obey(&mut self, text: &str) -> Result<(), Close> {
        match serde_json::from_str(text) {
            Ok(Ask::Subscribe { videos, since, all, cursor }) => {
                self.subscribe(videos, &since).await?;
                if all { self.subscribe_all(cursor.as_deref()).await } else { Ok(()) }
            }
            Ok(Ask::Unsubscribe { videos, all }) => {
                if all && self.all.is_some() {
                    self.unsubscribe_all().await?;
                }
                for video in &videos {
                    self.places.remove(video);
                }
                self.seat.unwatch(videos).await
            }
            // Where no key is set, or the header had it, one more does no harm.
            Ok(Ask::Auth { .. }) => Ok(()),
            Err(_) => self.misunderstood().await,
        }
    }

    /// Follows videos: of each a snapshot first, then what came after `since`. A video that is
    /// subscribed to again begins anew.
    ///
    /// # Errors
    /// [`Close`]: the session cannot go on.
    pub async fn subscribe(
        &mut self,
        videos: Vec<Uuid>,
        since: &HashMap<Uuid, i64>,
    ) -> Result<(), Close> {
        let mut seen = HashSet::new();
        let videos: Vec<Uuid> = videos.into_iter().filter(|video| seen.insert(*video)).collect();
        let new = videos.iter().filter(|video| !self.places.contains_key(video)).count();
        if self.places.len() + new > VIDEOS {
            let words = (
                "One connection follows at most 500 videos.",
                "Unsubscribe from some, or open another connection.",
            );
            return self.error("too_many_videos", words, None).await;
        }
        // Watched before they are read: what is stored in between is heard of.
        self.seat.watch(videos.clone()).await?;
        let ids = videos.clone();
        let standing = self
            .db
            .run_tx("feed.snapshot", async move |tx| video::standing(tx, &ids).await)
            .await?;
        let mut standing: HashMap<_, _> =
            standing.into_iter().map(|(id, status, seq)| (id, (status, seq))).collect();
        for video_id in videos {
            let Some((upload_status, seq)) = standing.remove(&video_id) else {
                self.places.remove(&video_id);
                self.seat.unwatch(vec![video_id]).await?;
                let words = ("There is no video with this id.", "Check the id.");
                self.error("video_not_found", words, Some(video_id)).await?;
                continue;
            };
            let since = since.get(&video_id).copied();
            let unknown = since.is_some_and(|since| since > seq || since < 0);
            if unknown {
                self.say(&Say::Reset { video_id: Some(video_id) }).await?;
            }
            self.say(&Say::Snapshot { video_id, seq, upload_status }).await?;
            let place = since.filter(|_| !unknown).unwrap_or(seq);
            self.places.insert(video_id, place);
            self.catch_up(video_id, seq).await?;
        }
        Ok(())
    }

    /// Follows all videos, deleted ones included, from `cursor` on, or from now on: the cursor of
    /// the beginning first, then each event in the order of all. One that we do not know is
    /// answered by a reset, and it begins now.
    ///
    /// # Errors
    /// [`Close`]: the session cannot go on.
    pub async fn subscribe_all(&mut self, cursor: Option<&str>) -> Result<(), Close> {
        self.seat.watch_all().await?;
        let named: Vec<Uuid> = self.places.keys().copied().collect();
        let (positions, standing) = self
            .db
            .run_tx("feed.all", async move |tx| {
                let standing = video::last_events(tx, &named).await?;
                Ok::<_, DbError>((event::positions(tx).await?, standing))
            })
            .await?;
        let known =
            |Cursor(position): &Cursor| (positions.removed..=positions.last).contains(position);
        let begin = match cursor.map(|text| Cursor::read(text).filter(known)) {
            Some(Some(Cursor(position))) => position,
            Some(None) => {
                self.say(&Say::Reset { video_id: None }).await?;
                positions.last
            }
            None => positions.last,
        };
        self.say(&Say::Start { cursor: Cursor(begin) }).await?;
        // What those followed by name miss up to now may be before the beginning.
        self.level(standing).await?;
        self.all = Some(begin);
        self.catch_up_all(positions.last).await
    }

    /// Follows all videos no more; those by name are followed on.
    ///
    /// # Errors
    /// [`Close`]: the session cannot go on.
    pub async fn unsubscribe_all(&mut self) -> Result<(), Close> {
        self.seat.unwatch_all().await?;
        self.all = None;
        let named: Vec<Uuid> = self.places.keys().copied().collect();
        let look = async move |tx: &Tx| video::last_events(tx, &named).await;
        let standing = self.db.run_tx("feed.level", look).await?;
        // What would have come in the order of all has not got its position yet.
        self.level(standing).await
    }

    /// Sends what the hub has told so far, without waiting for more. Returns how many updates.
    ///
    /// # Errors
    /// [`Close::TooSlow`] when the hub gave this client up; else as [`Close`] tells.
    pub async fn pass_on_waiting(&mut self) -> Result<usize, Close> {
        let mut count = 0;
        while let Ok(update) = self.seat.updates.try_recv() {
            if self.seat.slow.is_cancelled() {
                return Err(Close::TooSlow);
            }
            self.pass_on(update).await?;
            count += 1;
        }
        if self.seat.slow.is_cancelled() { Err(Close::TooSlow) } else { Ok(count) }
    }

    /// Where its messages went.
    pub fn out(&self) -> &O {
        &self.out
    }

    /// Ends it; gives back where its messages went.
    pub async fn leave(self) -> O {
        self.seat.leave().await;
        self.out
    }

    /// Waits for what the hub tells next; `None` when the hub is gone. Safe to drop half-way.
    pub(super) async fn told(&mut self) -> Option<Update> {
        self.seat.updates.recv().await
    }

    pub(super) async fn pass_on(&mut self, update: Update) -> Result<(), Close> {
        match update {
            Update::Progress { video, text } => {
                let followed = self.all.is_some() || self.places.contains_key(&video);
                if followed { self.out.send(text).await } else { Ok(()) }
            }
            // They come in the order of all.
            Update::Events { .. } if self.all.is_some() => Ok(()),
            Update::Events { video, last, frames } => {
                let Some(place) = self.places.get(&video).copied() else { return Ok(()) };
                if last <= place {
                    return Ok(());
                }
                match frames.first() {
                    Some(first) if first.seq <= place + 1 => self.frames(video, &frames).await,
                    // Something before was dropped or never heard: the table has it.
                    Some(_) | None => self.catch_up(video, last).await,
                }
            }
            Update::Positions { since, last, frames } => match self.all {
                Some(place) if since <= place && place < last => self.placed(&frames, last).await,
                Some(_) => self.catch_up_all(last).await,
                None => Ok(()),
            },
        }
    }

    /// Sends what is missing of videos up to what stands.
    async fn level(&mut self, standing: Vec<(Uuid, i64)>) -> Result<(), Close> {
        for (video, seq) in standing {
            self.catch_up(video, seq).await?;
        }
        Ok(())
    }

    /// Reads and sends a video's events from its place up to `last` at least.
    async fn catch_up(&mut self, id: Uuid, last: i64) -> Result<(), Close> {
        while let Some(place) = self.places.get(&id).copied().filter(|place| *place < last) {
            let events = self
                .db
                .run_tx("feed.events", async move |tx| event::since(tx, id, place, EVENTS).await)
                .await?;
            if events.is_empty() {
                // The rows went with their tombstone.
                self.places.insert(id, last);
            }
            let frames: Vec<Frame> = events.iter().map(|event| Frame::new(id, event)).collect();
            self.frames(id, &frames).await?;
        }
        Ok(())
    }

    /// Reads and sends events in the order of all, from its place up to `last` at least.
    async fn catch_up_all(&mut self, last: i64) -> Result<(), Close> {
        while let Some(place) = self.all.filter(|place| *place < last) {
            let read = async move |tx: &Tx| event::after_position(tx, place, EVENTS).await;
            let events = self.db.run_tx("feed.after", read).await?;
            // Without any, the rows went with their tombstone.
            let reached = events.last().map_or(last, |event| event.position);
            let frames: Vec<Placed> = events.iter().map(Placed::new).collect();
            self.placed(&frames, reached).await?;
        }
        Ok(())
    }

    async fn frames(&mut self, video: Uuid, frames: &[Frame]) -> Result<(), Close> {
        for frame in frames {
            let Some(place) = self.places.get(&video).copied() else { return Ok(()) };
            if frame.seq > place {
                self.out.send(frame.text.clone()).await?;
                self.places.insert(video, frame.seq);
            }
        }
        Ok(())
    }

    /// Sends events in the order of all; there are no others up to `last`.
    async fn placed(&mut self, frames: &[Placed], last: i64) -> Result<(), Close> {
        for frame in frames {
            if self.all.is_none_or(|place| frame.position <= place) {
                continue;
            }
            let named = self.places.get(&frame.video).copied();
            if named.is_none_or(|place| place < frame.seq) {
                self.out.send(frame.text.clone()).await?;
                if named.is_some() {
                    self.places.insert(frame.video, frame.seq);
                }
            }
            self.all = Some(frame.position);
        }
        self.all = self.all.map(|place| place.max(last));
        Ok(())
    }

    pub(super) async fn misunderstood(&mut self) -> Result<(), Close> {
        let words = (
            "The message is none of auth, subscribe and unsubscribe.",
            "See /ws in /openapi.json.",
        );
        self.error("bad_message", words, None).await
    }

    async fn error(
        &mut self,
        code: &'static str,
        (detail, suggestion): (&str, &str),
        video_id: Option<Uuid>,
    ) -> Result<(), Close> {
        self.say(&Say::Error { code, detail, suggestion, video_id }).await
    }

    async fn say(&mut self, say: &Say<'_>) -> Result<(), Close> {
        self.out.send(say.text()).await
    }
}
