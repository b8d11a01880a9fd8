//! A pinning service in process, by the IPFS Pinning Service API, with the troubles of real ones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What it wants to see as a bearer token.
pub const TOKEN: &str = "tester-token";

/// What it tells clients to connect to.
pub const DELEGATE: &str = "/ip4/203.0.113.7/tcp/4001/p2p/12D3KooWDelegate";

/// How it answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Mood {
    /// As the specification says.
    #[default]
    Well,
    /// So, but after this time.
    Slow(Duration),
    /// It refuses every token.
    Forbids,
    /// It wants to be left alone, for so many seconds if it says.
    Busy(Option<u32>),
    /// It takes a request and breaks the connection instead of answering.
    Dies,
    /// It sends everyone to this address.
    Points(String),
    /// It answers with this status and text.
    Says(u16, String),
}

/// A request that it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// `requestid`.
    pub id: String,
    /// Content id.
    pub cid: String,
    /// `queued`, `pinning`, `pinned` or `failed`.
    pub status: &'static str,
    /// The request as it came.
    pub pin: Value,
}

#[derive(Debug, Default)]
struct Book {
    mood: Mood,
    /// Whether it answers as Pinata does.
    pinata: bool,
    /// What a new request is.
    begins: Option<&'static str>,
    held: Vec<Held>,
    count: usize,
    calls: Vec<String>,
}

/// A running service; it ends when this is dropped.
pub struct PinningService {
    /// The URL to which `/pins` is appended.
    pub endpoint: String,
    book: Arc<Mutex<Book>>,
    _server: JoinSet<()>,
}

impl PinningService {
    /// Makes it answer so from now on.
    pub fn mood(&self, mood: Mood) {
        self.book().mood = mood;
    }

    /// Makes it answer as Pinata does: 200 where 202 is due, the text `OK`, no names in lists.
    pub fn like_pinata(&self) {
        self.book().pinata = true;
    }

    /// Makes new requests begin so: `queued` unless told otherwise.
    pub fn begin(&self, status: &'static str) {
        self.book().begins = Some(status);
    }

    /// Makes every request it keeps be so.
    pub fn become_all(&self, status: &'static str) {
        self.book().held.iter_mut().for_each(|held| held.status = status);
    }

    /// Adds a request as another program's, or an earlier one of ours.
    pub fn add(&self, pin: Value, status: &'static str) -> String {
        self.book().add(pin, status).id
    }

    /// Makes it forget every request.
    pub fn forget(&self) {
        self.book().held.clear();
    }

    /// The requests it keeps, oldest first.
    pub fn held(&self) -> Vec<Held> {
        self.book().held.clone()
    }

    /// The calls that came, as `POST /pins`, in their order.
    pub fn calls(&self) -> Vec<String> {
        self.book().calls.clone()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a service with no requests, on a free port.
///
/// # Errors
/// No free port.
pub async fn pinning_service() -> anyhow::Result<PinningService> {
    let book = Arc::new(Mutex::new(Book::default()));
    let router = Router::new()
        .route("/psa/pins", get(list).post(post))
        .route("/psa/pins/{id}", get(look).post(replace).delete(remove))
        .layer(middleware::from_fn_with_state(book.clone(), temper))
        .with_state(book.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}/psa", listener.local_addr()?);
    let mut server = JoinSet::new();
    server.spawn(async move {
        let _ = axum::serve(listener, router).await;
    });
    Ok(PinningService { endpoint, book, _server: server })
}

type Shared = State<Arc<Mutex<Book>>>;

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Book {
    fn add(&mut self, pin: Value, status: &'static str) -> Held {
        self.count += 1;
        let id = format!("request-{}", self.count);
        let cid = pin["cid"].as_str().unwrap_or_default().to_owned();
        self.held.push(Held { id: id.clone(), cid: cid.clone(), status, pin: pin.clone() });
        Held { id, cid, status, pin }
    }

    fn shown(&self, held: &Held, listed: bool) -> Value {
        let mut pin = held.pin.clone();
        if self.pinata && listed {
            pin["name"] = Value::Null;
        }
        let mut info = json!({});
        if held.status == "failed" {
            info["status_details"] = "no peer had the blocks".into();
        }
        json!({ "requestid": held.id, "status": held.status, "created": "2026-01-01T00:00:00Z",
            "pin": pin, "delegates": [DELEGATE], "info": info })
    }

    fn accepted(&self) -> StatusCode {
        if self.pinata { StatusCode::OK } else { StatusCode::ACCEPTED }
    }
}

/// Notes the call, and answers it by mood instead of by what it asks for.
async fn temper(State(book): Shared, request: Request, next: Next) -> Response {
    let path = request.uri().path().trim_start_matches("/psa").to_owned();
    let call = format!("{} {path}", request.method());
    let bearer = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let known = bearer == Some(&format!("Bearer {TOKEN}"));
    let mood = {
        let mut book = lock(&book);
        book.calls.push(call);
        book.mood.clone()
    };
    match mood {
        _ if !known => failure(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "another token is due"),
        Mood::Forbids => failure(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "the token has expired"),
        Mood::Busy(seconds) => {
            let mut answer = failure(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY", "slow down");
            if let Some(value) = seconds.map(header::HeaderValue::from) {
                answer.headers_mut().insert(header::RETRY_AFTER, value);
            }
            answer
        }
        Mood::Points(to) => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
        }
        Mood::Says(status, text) => {
            (StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT), text).into_response()
        }
        Mood::Dies if request.method() == Method::POST => {
            next.run(request).await;
            let broken =
                futures_util::stream::iter([Err::<&str, _>(std::io::Error::other("died"))]);
            Body::from_stream(broken).into_response()
        }
        Mood::Slow(time) => {
            tokio::time::sleep(time).await;
            next.run(request).await
        }
        Mood::Well | Mood::Dies => next.run(request).await,
    }
}

async fn list(State(book): Shared, Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
    let book = lock(&book);
    // Without a filter only what is pinned is listed.
    let states = query.get("status").map_or("pinned", String::as_str);
    let found: Vec<_> = book
        .held
        .iter()
        .rev()
        .filter(|held| query.get("cid").is_none_or(|cids| cids.split(',').any(|c| c == held.cid)))
        .filter(|held| states.split(',').any(|state| state == held.status))
        .filter(|held| query.get("name").is_none_or(|name| held.pin["name"] == **name))
        .map(|held| book.shown(held, true))
        .collect();
    let limit = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(10);
    Json(
        json!({ "count": found.len(), "results": found.into_iter().take(limit).collect::<Vec<_>>() }),
    )
}

async fn post(State(book): Shared, Json(pin): Json<Value>) -> Response {
    let mut book = lock(&book);
    let begins = book.begins.unwrap_or("queued");
    let held = book.add(pin, begins);
    (book.accepted(), Json(book.shown(&held, false))).into_response()
}

async fn look(State(book): Shared, Path(id): Path<String>) -> Response {
    let book = lock(&book);
    match book.held.iter().find(|held| held.id == id) {
        Some(held) => Json(book.shown(held, false)).into_response(),
        None => missing(),
    }
}

async fn replace(State(book): Shared, Path(id): Path<String>, Json(pin): Json<Value>) -> Response {
    let mut book = lock(&book);
    let Some(old) = book.held.iter().position(|held| held.id == id) else { return missing() };
    book.held.remove(old);
    let begins = book.begins.unwrap_or("queued");
    let held = book.add(pin, begins);
    (book.accepted(), Json(book.shown(&held, false))).into_response()
}

async fn remove(State(book): Shared, Path(id): Path<String>) -> Response {
    let mut book = lock(&book);
    let Some(old) = book.held.iter().position(|held| held.id == id) else { return missing() };
    book.held.remove(old);
    match book.pinata {
        true => "OK".into_response(),
        false => StatusCode::ACCEPTED.into_response(),
    }
}

fn missing() -> Response {
    failure(StatusCode::NOT_FOUND, "NOT_FOUND", "The specified resource was not found")
}

fn failure(status: StatusCode, reason: &str, details: &str) -> Response {
    (status, Json(json!({ "error": { "reason": reason, "details": details } }))).into_response()
}
