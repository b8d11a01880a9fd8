//! Imitates ticket, bucket, complete, record, progress and feed for one video, with a script of
//! what the bucket does at each PUT.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    body::Body,
    extract::{State, WebSocketUpgrade, ws},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

/// What the bucket does at one PUT.
#[derive(Clone, Copy)]
pub(crate) enum Turn {
    /// Breaks the connection after the first bytes.
    Cut,
    /// Reads everything, keeps nothing, 503.
    Busy,
    /// Keeps it, but answers 503.
    StoreThenBusy,
    /// Keeps it, or 412 where something is kept already.
    Store,
}

/// What was asked of the imitation.
#[derive(Default, Clone)]
pub(crate) struct Seen {
    pub(crate) filename: String,
    pub(crate) stored: Option<Vec<u8>>,
    /// Content-Length of every PUT.
    pub(crate) lengths: Vec<u64>,
    pub(crate) answers: Vec<u16>,
    pub(crate) completes: usize,
    pub(crate) polls: usize,
    /// Of every subscription.
    pub(crate) since: Vec<u64>,
    pub(crate) keys: Vec<String>,
}

pub(crate) struct Imitation {
    turns: Mutex<VecDeque<Turn>>,
    seen: Mutex<Seen>,
    url: Mutex<String>,
    feed: bool,
    fails: bool,
}

const ID: &str = "0190";

impl Imitation {
    pub(crate) fn new(turns: &[Turn]) -> Arc<Self> {
        Arc::new(Self {
            turns: Mutex::new(turns.iter().copied().collect()),
            seen: Mutex::default(),
            url: Mutex::default(),
            feed: true,
            fails: false,
        })
    }

    pub(crate) fn without_feed(self: Arc<Self>) -> Arc<Self> {
        Arc::new(Self { feed: false, ..Arc::into_inner(self).expect("not started yet") })
    }

    pub(crate) fn failing(self: Arc<Self>) -> Arc<Self> {
        Arc::new(Self { fails: true, ..Arc::into_inner(self).expect("not started yet") })
    }

    pub(crate) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no handler panics with it")
    }

    /// The address, and the tasks that serve until they are dropped.
    pub(crate) async fn start(self: Arc<Self>) -> (String, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        self.url.lock().expect("nobody panicked").clone_from(&url);
        let router = Router::new()
            .route("/upload/video", post(ticket))
            .route("/upload/video/{id}/complete", post(complete))
            .route("/bucket/{key}", put(store))
            .route("/video/{id}", get(record))
            .route("/video/{id}/progress", get(progress))
            .route("/ws", get(feed))
            .with_state(self);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        (url, tasks)
    }
}

type Us = State<Arc<Imitation>>;

async fn ticket(State(us): Us, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    assert_eq!(headers[header::AUTHORIZATION], "Bearer key");
    let filename = body["filename"].as_str().expect("a name").to_owned();
    if filename.ends_with(".txt") {
        let problem = json!({ "type": "about:blank", "status": 422, "code": "not_a_video",
            "detail": format!("{filename} is no film"), "suggestion": "choose a video file" });
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        return (StatusCode::UNPROCESSABLE_ENTITY, kind, problem.to_string()).into_response();
    }
    assert!(body["fileSize"].is_u64());
    us.lock().filename = filename;
    let url = format!("{}/bucket/key", us.url.lock().expect("nobody panicked"));
    let answer = json!({ "video_id": ID, "presigned_url": url, "s3_path": "orig/1/2",
        "headers": { "if-none-match": "*" }, "expires_at": "2026-01-01T00:00:00Z" });
    (StatusCode::CREATED, Json(answer)).into_response()
}

async fn store(State(us): Us, headers: HeaderMap, body: Body) -> StatusCode {
    assert_eq!(headers[header::IF_NONE_MATCH], "*");
    let length = headers[header::CONTENT_LENGTH].to_str().ok().and_then(|n| n.parse().ok());
    us.lock().lengths.push(length.expect("an exact length"));
    let turn = us.turns.lock().expect("nobody panicked").pop_front().expect("a scripted PUT");
    let mut pieces = body.into_data_stream();
    if matches!(turn, Turn::Cut) {
        pieces.next().await;
        // hyper closes a connection whose handler panics.
        std::panic::resume_unwind(Box::new("cut"));
    }
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece.expect("the whole body"));
    }
    let mut seen = us.lock();
    let answer = match (turn, &seen.stored) {
        (Turn::Store, Some(_)) => StatusCode::PRECONDITION_FAILED,
        (Turn::Store, None) => {
            seen.stored = Some(bytes);
            StatusCode::OK
        }
        (Turn::StoreThenBusy, _) => {
            seen.stored = Some(bytes);
            StatusCode::SERVICE_UNAVAILABLE
        }
        (Turn::Busy | Turn::Cut, _) => StatusCode::SERVICE_UNAVAILABLE,
    };
    seen.answers.push(answer.as_u16());
    answer
}

async fn complete(State(us): Us) -> Json<Value> {
    us.lock().completes += 1;
    Json(json!({ "id": ID, "upload_status": "uploaded" }))
}

async fn record(State(us): Us) -> Json<Value> {
    assert!(!us.fails, "a failed video's reason comes with the event");
    Json(json!({ "id": ID, "upload_status": "completed", "playback": { "hls": "http://h/m.m3u8" },
        "renditions": [], "pins": [ { "target": "node", "state": "pinned" } ], "error": null }))
}

async fn progress(State(us): Us) -> Json<Value> {
    us.lock().polls += 1;
    let done = !us.feed && us.lock().polls >= 3;
    let status = if done { "completed" } else { "processing" };
    Json(json!({ "video_id": ID, "upload_status": status, "percent": 40, "rungs": {"480p": 40},
        "pins": [], "error": null }))
}

async fn feed(State(us): Us, upgrade: WebSocketUpgrade) -> Response {
    if !us.feed {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    upgrade.on_upgrade(|socket| speak(us, socket))
}

/// The first connection breaks after event 3, in the middle of a frame's worth of news.
async fn speak(us: Arc<Imitation>, mut socket: ws::WebSocket) {
    let auth = hear(&mut socket).await;
    let subscribe = hear(&mut socket).await;
    assert_eq!((&auth["op"], &subscribe["op"]), (&json!("auth"), &json!("subscribe")));
    assert_eq!(subscribe["videos"], json!([ID]));
    let since = subscribe["since"][ID].as_u64().expect("a since");
    let first = {
        let mut seen = us.lock();
        seen.keys.push(auth["key"].as_str().expect("a key").into());
        seen.since.push(since);
        seen.since.len() == 1
    };
    let last = if us.fails {
        json!({ "name": "failed", "data": { "code": "unreadable",
            "detail": "no picture could be read", "suggestion": "try another file" } })
    } else {
        json!({ "name": "completed", "data": {} })
    };
    let events = [
        json!({ "name": "uploaded", "data": { "file_size": 1 } }),
        json!({ "name": "probed", "data": { "duration": 1.0, "width": 2, "height": 2 } }),
        json!({ "name": "planned", "data": { "rungs": ["480p"], "audio": false } }),
        json!({ "name": "playable", "data": {} }),
        last,
    ];
    let snapshot =
        json!({ "type": "snapshot", "video_id": ID, "seq": 5, "upload_status": "processing" });
    tell(&mut socket, &snapshot).await;
    for (seq, mut event) in (1..).zip(events).filter(|(seq, _)| *seq > since) {
        event["type"] = "event".into();
        event["video_id"] = ID.into();
        event["seq"] = seq.into();
        tell(&mut socket, &event).await;
        let percent =
            json!({ "type": "progress", "video_id": ID, "percent": seq * 20, "rungs": {} });
        tell(&mut socket, &percent).await;
        if first && !us.fails && seq == 3 {
            return;
        }
    }
    while let Some(Ok(_)) = socket.recv().await {}
}

async fn hear(socket: &mut ws::WebSocket) -> Value {
    let message = socket.recv().await.expect("a message").expect("it arrives");
    serde_json::from_str(message.to_text().expect("text")).expect("JSON")
}

async fn tell(socket: &mut ws::WebSocket, message: &Value) {
    // The client may have left after the last event.
    let _ = socket.send(ws::Message::text(message.to_string())).await;
}
