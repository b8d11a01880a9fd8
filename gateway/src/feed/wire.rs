//! A session over a WebSocket: what either side says, pings, time limits and the end.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::message::Close;
use super::session::{Out, Session};
use crate::app::App;

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
    let slow = seat.slow.clone();
    let (sink, mut stream) = socket.split();
    let wire = Wire { sink, stop: app.stop.clone(), slow: slow.clone() };
    let mut session = Session::new(app.engines.db.clone(), seat, wire);
    let ended = talk(app, &mut session, &slow, &mut stream, first).await;
    let Wire { sink, .. } = session.leave().await;
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

async fn talk(
    app: &App,
    session: &mut Session<Wire>,
    slow: &CancellationToken,
    stream: &mut SplitStream<WebSocket>,
    first: Option<(Uuid, Option<i64>)>,
) -> Close {
    if let Some((video, since)) = first {
        let since: HashMap<_, _> = since.map(|since| (video, since)).into_iter().collect();
        if let Err(close) = session.subscribe(vec![video], &since).await {
            return close;
        }
    }
    let mut ping = tokio::time::interval_at(Instant::now() + PING, PING);
    let mut heard = Instant::now();
    loop {
        let done = tokio::select! {
            () = app.stop.cancelled() => Err(Close::Stopping),
            () = slow.cancelled() => Err(Close::TooSlow),
            said = stream.next() => {
                heard = Instant::now();
                match said {
                    Some(Ok(Message::Text(text))) => session.obey(&text).await,
                    Some(Ok(Message::Binary(_))) => session.misunderstood().await,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Close::Gone),
                }
            }
            update = session.told() => match update {
                Some(update) => session.pass_on(update).await,
                None => Err(Close::Stopping),
            },
            _ = ping.tick() => {
                if heard.elapsed() > SILENT {
                    Err(Close::Gone)
                } else {
                    session.out.message(Message::Ping(bytes::Bytes::new())).await
                }
            }
        };
        if let Err(close) = done {
            return close;
        }
    }
}

/// The sending half of a WebSocket.
struct Wire {
    sink: SplitSink<WebSocket, Message>,
    stop: CancellationToken,
    /// The hub gave the client up.
    slow: CancellationToken,
}

impl Wire {
    /// Waits for the client to take a message: not for ever, and not once the hub gave it up.
    async fn message(&mut self, message: Message) -> Result<(), Close> {
        tokio::select! {
            () = self.stop.cancelled() => Err(Close::Stopping),
            () = self.slow.cancelled() => Err(Close::TooSlow),
            sent = tokio::time::timeout(SEND, self.sink.send(message)) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(Close::Gone),
                Err(_) => Err(Close::TooSlow),
            },
        }
    }
}

impl Out for Wire {
    async fn send(&mut self, text: Utf8Bytes) -> Result<(), Close> {
        self.message(Message::Text(text)).await
    }
}
