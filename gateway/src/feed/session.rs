//! One open socket: its place in each video's events, and what it sends.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt as _, StreamExt as _};
use reelpin_schema::db::DbError;
use reelpin_schema::{event, video};
use tokio::time::Instant;
use uuid::Uuid;

use super::hub::{EVENTS, Ended, Frame, Seat, Update};
use super::message::{Ask, Close, Say};
use crate::app::App;

/// The most videos of one socket.
const VIDEOS: usize = 500;

/// How long one message may wait for the client to read.
const SEND: Duration = Duration::from_secs(10);

/// How long a closing client may take to answer.
const CLOSE: Duration = Duration::from_secs(3);

/// How often we ask whether the client is still there, and when it counts as gone.
const PING: Duration = Duration::from_secs(20);
const SILENT: Duration = Duration::from_secs(60);

/// Serves a socket until either side ends it.
pub(super) async fn run(app: &App, socket: WebSocket, first: Option<(Uuid, Option<i64>)>) {
    let Ok(seat) = app.hub.join().await else {
        close(socket, Close::Stopping).await;
        return;
    };
    let (sink, mut stream) = socket.split();
    let mut session = Session { app, seat, sink, places: HashMap::new() };
    let ended = session.talk(&mut stream, first).await;
    let Session { seat, sink, .. } = session;
    seat.leave().await;
    if let Ok(socket) = sink.reunite(stream) {
        close(socket, ended).await;
    }
}

/// Says why, and waits a moment for the client to have heard it.
pub(super) async fn close(mut socket: WebSocket, why: Close) {
    let Some((code, reason)) = why.words() else { return };
    let farewell = async {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    let _ = tokio::time::timeout(CLOSE, farewell).await;
}

struct Session<'a> {
    app: &'a App,
    seat: Seat,
    sink: SplitSink<WebSocket, Message>,
    /// The last event sent, or skipped on purpose, of each video.
    places: HashMap<Uuid, i64>,
}

impl From<Ended> for Close {
    fn from(Ended: Ended) -> Self {
        Self::Stopping
    }
}

/// Why the database did not answer is told in the log, not to the client.
impl From<DbError> for Close {
    fn from(e: DbError) -> Self {
        tracing::warn!("a feed could not be read: {e}");
        Self::TryLater
    }
}

impl Session<'_> {
    async fn talk(
        &mut self,
        stream: &mut futures_util::stream::SplitStream<WebSocket>,
        first: Option<(Uuid, Option<i64>)>,
    ) -> Close {
        if let Some((video, since)) = first {
            let since = since.map(|since| (video, since)).into_iter().collect();
            if let Err(close) = self.subscribe(vec![video], &since).await {
                return close;
            }
        }
        let mut ping = tokio::time::interval_at(Instant::now() + PING, PING);
        let mut heard = Instant::now();
        loop {
            let done = tokio::select! {
                () = self.app.stop.cancelled() => Err(Close::Stopping),
                () = self.seat.slow.cancelled() => Err(Close::TooSlow),
                said = stream.next() => {
                    heard = Instant::now();
                    match said {
                        Some(Ok(Message::Text(text))) => self.obey(&text).await,
                        Some(Ok(Message::Binary(_))) => self.misunderstood().await,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                        Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Close::Gone),
                    }
                }
                update = self.seat.updates.recv() => match update {
                    Some(update) => self.pass_on(update).await,
                    None => Err(Close::Stopping),
                },
                _ = ping.tick() => {
                    if heard.elapsed() > SILENT {
                        Err(Close::Gone)
                    } else {
                        self.send(Message::Ping(bytes::Bytes::new())).await
                    }
                }
            };
            if let Err(close) = done {
                return close;
            }
        }
    }

    async fn obey(&mut self, text: &str) -> Result<(), Close> {
        match serde_json::from_str(text) {
            Ok(Ask::Subscribe { all: true, .. }) => {
                self.error(
                    "not_available",
                    "Subscribing to all videos is not there yet.",
                    "Name the videos.",
                    None,
                )
                .await
            }
            Ok(Ask::Subscribe { videos, since, .. }) => self.subscribe(videos, &since).await,
            Ok(Ask::Unsubscribe { videos }) => {
                for video in &videos {
                    self.places.remove(video);
                }
                Ok(self.seat.unwatch(videos).await?)
            }
            // Where no key is set, or the header had it, one more does no harm.
            Ok(Ask::Auth { .. }) => Ok(()),
            Err(_) => self.misunderstood().await,
        }
    }

    async fn misunderstood(&mut self) -> Result<(), Close> {
        self.error(
            "bad_message",
            "The message is none of auth, subscribe and unsubscribe.",
            "See /ws in /openapi.json.",
            None,
        )
        .await
    }

    /// Snapshots first, then what came after `since`. A video that is subscribed to again begins
    /// anew.
    async fn subscribe(
        &mut self,
        videos: Vec<Uuid>,
        since: &HashMap<Uuid, i64>,
    ) -> Result<(), Close> {
        let mut seen = HashSet::new();
        let videos: Vec<Uuid> = videos.into_iter().filter(|video| seen.insert(*video)).collect();
        let new = videos.iter().filter(|video| !self.places.contains_key(video)).count();
        if self.places.len() + new > VIDEOS {
            return self
                .error(
                    "too_many_videos",
                    "One connection follows at most 500 videos.",
                    "Unsubscribe from some, or open another connection.",
                    None,
                )
                .await;
        }
        // Watched before they are read: what is stored in between is heard of.
        self.seat.watch(videos.clone()).await?;
        let ids = videos.clone();
        let standing = self
            .app
            .engines
            .db
            .run_tx("feed.snapshot", async move |tx| video::standing(tx, &ids).await)
            .await?;
        let mut standing: HashMap<_, _> =
            standing.into_iter().map(|(id, status, seq)| (id, (status, seq))).collect();
        for video_id in videos {
            let Some((upload_status, seq)) = standing.remove(&video_id) else {
                self.places.remove(&video_id);
                self.seat.unwatch(vec![video_id]).await?;
                self.error(
                    "video_not_found",
                    "There is no video with this id.",
                    "Check the id.",
                    Some(video_id),
                )
                .await?;
                continue;
            };
            let since = since.get(&video_id).copied();
            let unknown = since.is_some_and(|since| since > seq || since < 0);
            if unknown {
                self.say(&Say::Reset { video_id }).await?;
            }
            self.say(&Say::Snapshot { video_id, seq, upload_status }).await?;
            let place = since.filter(|_| !unknown).unwrap_or(seq);
            self.places.insert(video_id, place);
            if place < seq {
                self.catch_up(video_id, seq).await?;
            }
        }
        Ok(())
    }

    async fn pass_on(&mut self, update: Update) -> Result<(), Close> {
        match update {
            Update::Progress { video, text } if self.places.contains_key(&video) => {
                self.send(Message::Text(text)).await
            }
            Update::Progress { .. } => Ok(()),
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
        }
    }

    /// Reads and sends a video's events from its place up to `last` at least.
    async fn catch_up(&mut self, id: Uuid, last: i64) -> Result<(), Close> {
        while let Some(place) = self.places.get(&id).copied().filter(|place| *place < last) {
            let events = self
                .app
                .engines
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

    async fn frames(&mut self, video: Uuid, frames: &[Frame]) -> Result<(), Close> {
        for frame in frames {
            let Some(place) = self.places.get(&video).copied() else { return Ok(()) };
            if frame.seq > place {
                self.send(Message::Text(frame.text.clone())).await?;
                self.places.insert(video, frame.seq);
            }
        }
        Ok(())
    }

    async fn error(
        &mut self,
        code: &'static str,
        detail: &str,
        suggestion: &str,
        video_id: Option<Uuid>,
    ) -> Result<(), Close> {
        self.say(&Say::Error { code, detail, suggestion, video_id }).await
    }

    async fn say(&mut self, say: &Say<'_>) -> Result<(), Close> {
        self.send(Message::Text(say.text())).await
    }

    /// Waits for the client to take a message: not for ever, and not once the hub gave it up.
    async fn send(&mut self, message: Message) -> Result<(), Close> {
        tokio::select! {
            () = self.app.stop.cancelled() => Err(Close::Stopping),
            () = self.seat.slow.cancelled() => Err(Close::TooSlow),
            sent = tokio::time::timeout(SEND, self.sink.send(message)) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(Close::Gone),
                Err(_) => Err(Close::TooSlow),
            },
        }
    }
}
