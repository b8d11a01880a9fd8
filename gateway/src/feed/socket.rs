//! `GET /ws`: who may open a socket, and its first seconds.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::http::header::{HeaderValue, UPGRADE};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::message::{Ask, Close};
use super::wire;
use crate::app::{App, Shared};
use crate::extract::Asked;
use crate::guard;
use crate::metrics::OpenSocket;
use crate::openapi::problems;
use crate::problem::{Code, Problem};

/// How long a client may take to send its key (design, section 7).
const AUTH: Duration = Duration::from_secs(5);

/// The most bytes of a message to us: 500 ids with their numbers take half of it.
const MESSAGE: usize = 64 * 1024;

/// The most open sockets of this process.
const SOCKETS: usize = 4000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct First {
    /// A video to subscribe to at once.
    video_id: Option<Uuid>,
    /// The last number that is known of it.
    since: Option<i64>,
}

/// The feed.
///
/// To us: `{"op":"auth","key":"..."}` first where a key is set (or the bearer header), then
/// `{"op":"subscribe","videos":["id"],"since":{"id":12}}` and `{"op":"unsubscribe","videos":["id"]}`.
/// From us, for each video: a `snapshot` first, then each `event` after `since` (or after the
/// snapshot) in order and without gaps, and `progress` in between; `reset` where `since` is not
/// known.
///
/// All videos: `{"op":"subscribe","all":true,"cursor":"..."}`, from now on without a cursor, and
/// `{"op":"unsubscribe","all":true}`. From us: `{"type":"snapshot","cursor":"..."}` first, then
/// every video's events in one order, each with the `cursor` to come back with, and `progress` of
/// every video. `reset` without a `video_id` where the cursor is not known: fetch the list again;
/// the snapshot that follows begins now. Who follows videos by name too hears each event once,
/// with its cursor, but for those that the subscription by name itself brought.
///
/// Close codes: 4401 no key, 4408 too slow: come back with `since` or `cursor`.
#[utoipa::path(
    get, path = "/ws", tag = "feed", params(First),
    responses((status = 101, description = "The WebSocket"), Problems)
)]
pub(crate) async fn get(
    State(app): State<Shared>,
    Asked(first): Asked<First>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    guard::refuse_foreign(&app.guard, &headers)?;
    let bearer = guard::bearer(&app.guard, &headers);
    if bearer == Some(false) {
        return Err(guard::unauthorized());
    }
    let upgrade = upgrade.map_err(|_| {
        Problem::new(
            Code::UpgradeRequired,
            "This address speaks WebSocket.",
            "Open it as a WebSocket; without one, ask for a video's events.",
        )
        .with(UPGRADE, HeaderValue::from_static("websocket"))
    })?;
    if app.sockets.len() >= SOCKETS {
        return Err(Problem::new(
            Code::Busy,
            "Too many feeds are open.",
            "Try again in a few seconds.",
        ));
    }
    let upgrade = upgrade.max_message_size(MESSAGE).max_frame_size(MESSAGE);
    let token = app.sockets.token();
    Ok(upgrade.on_upgrade(async move |socket| {
        let _open = (token, OpenSocket::count());
        serve(&app, socket, bearer.is_some(), first).await;
    }))
}

async fn serve(app: &App, mut socket: WebSocket, known: bool, first: First) {
    if !known {
        let authorized = tokio::select! {
            () = app.stop.cancelled() => Err(Close::Stopping),
            said = tokio::time::timeout(AUTH, authorize(app, &mut socket)) => {
                said.unwrap_or(Err(Close::Unauthorized))
            }
        };
        if let Err(close) = authorized {
            wire::close(socket, close).await;
            return;
        }
    }
    let first = first.video_id.map(|video| (video, first.since));
    wire::run(app, socket, first).await;
}

/// The first message is the key.
async fn authorize(app: &App, socket: &mut WebSocket) -> Result<(), Close> {
    loop {
        let said = match socket.recv().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).ok(),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Binary(_))) => None,
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Close::Gone),
        };
        return match said {
            Some(Ask::Auth { key }) if guard::is_right(&app.guard, &key) => Ok(()),
            Some(Ask::Auth { .. } | Ask::Subscribe { .. } | Ask::Unsubscribe { .. }) | None => {
                Err(Close::Unauthorized)
            }
        };
    }
}

problems!(Problems: BadQuery, Unauthorized, ForeignOrigin, UpgradeRequired);
