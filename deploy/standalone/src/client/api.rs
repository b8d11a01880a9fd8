//! The calls of the public HTTP API that an upload needs, each with a time limit and bounded retries.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client, Method, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{ClientError, Problem};

/// For a connection to the server or the bucket.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// For one call of the API, connection included; none of them moves media.
const CALL: Duration = Duration::from_secs(30);
/// Tries of one call in all.
const TRIES: u32 = 4;
/// No answer of the API that is used here comes near this, in bytes.
const MAX_ANSWER: usize = 16 << 20;

/// The right to upload one file.
#[derive(Debug, Deserialize)]
pub(super) struct Ticket {
    pub(super) video_id: String,
    pub(super) presigned_url: String,
    /// To be sent with the PUT, exactly.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
}

/// When a call may be sent again.
#[derive(Clone, Copy, PartialEq)]
enum Repeat {
    /// It changes nothing, or the same thing once more.
    Harmless,
    /// Only when it was surely not carried out.
    UnlessSent,
}

#[derive(Debug)]
pub(super) struct Api {
    http: Client,
    /// Ends with a slash.
    base: Url,
    key: Option<String>,
}

impl Api {
    pub(super) fn new(url: &str, key: Option<&str>) -> Result<Self, ClientError> {
        let base = Url::parse(&format!("{}/", url.trim_end_matches('/')))
            .ok()
            .filter(|base| base.scheme() == "http" && base.has_host())
            .ok_or_else(|| ClientError::NotHttp(url.into()))?;
        Ok(Self { http: plain()?, base, key: key.map(str::to_owned) })
    }

    pub(super) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// `ws://…/ws`.
    pub(super) fn feed(&self) -> String {
        format!("ws{}ws", self.base.as_str().trim_start_matches("http"))
    }

    pub(super) async fn ticket(&self, filename: &str, size: u64) -> Result<Ticket, ClientError> {
        let body = json!({ "filename": filename, "fileSize": size });
        let answer =
            self.call(Method::POST, "upload/video", Some(&body), Repeat::UnlessSent).await?;
        Ticket::deserialize(answer).map_err(|error| ClientError::Unexpected {
            call: "POST /upload/video".into(),
            what: error.to_string(),
        })
    }

    pub(super) async fn complete(&self, id: &str) -> Result<Value, ClientError> {
        let path = format!("upload/video/{id}/complete");
        self.call(Method::POST, &path, None, Repeat::Harmless).await
    }

    pub(super) async fn record(&self, id: &str) -> Result<Value, ClientError> {
        self.call(Method::GET, &format!("video/{id}"), None, Repeat::Harmless).await
    }

    /// One try only: whoever polls comes again.
    pub(super) async fn progress(&self, id: &str) -> Result<Value, ClientError> {
        self.once(&Method::GET, &format!("video/{id}/progress"), None).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        repeat: Repeat,
    ) -> Result<Value, ClientError> {
        let mut tries = 1;
        loop {
            match self.once(&method, path, body).await {
                Err(error) if tries < TRIES && passing(&error, repeat) => {
                    tokio::time::sleep(pause(tries)).await;
                    tries += 1;
                }
                answer => return answer,
            }
        }
    }

    async fn once(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        let unexpected =
            |what: String| ClientError::Unexpected { call: format!("{method} /{path}"), what };
        let url = self.base.join(path).map_err(|error| unexpected(error.to_string()))?;
        let mut request = self.http.request(method.clone(), url).timeout(CALL);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(server)?;
        let status = response.status();
        let answer = read(response).await?.ok_or_else(|| unexpected("it does not end".into()))?;
        if status.is_success() {
            return serde_json::from_slice(&answer)
                .map_err(|error| unexpected(format!("status {status}, {error}")));
        }
        let problem = serde_json::from_slice::<Problem>(&answer)
            .ok()
            .filter(|problem| !problem.code.is_empty())
            .ok_or_else(|| unexpected(format!("status {status}")))?;
        Err(ClientError::Refused { status: status.as_u16(), problem })
    }
}

/// A client of plain HTTP that goes straight to its host: no proxy, no redirects, no cookies.
pub(super) fn plain() -> Result<Client, ClientError> {
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .build()
        .map_err(server)
}

/// How long to wait after the `n`-th failure: 0.4, 0.8, 1.6 s and so on to 10 s, a quarter of it random.
pub(super) fn pause(n: u32) -> Duration {
    let full = Duration::from_millis(200 << n.min(6)).min(Duration::from_secs(10));
    full.mul_f64(rand::random_range(0.75..1.0))
}

/// The whole body, `None` when it is longer than any answer can be.
async fn read(mut response: Response) -> Result<Option<Vec<u8>>, ClientError> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(server)? {
        body.extend_from_slice(&piece);
        if body.len() > MAX_ANSWER {
            return Ok(None);
        }
    }
    Ok(Some(body))
}

fn passing(error: &ClientError, repeat: Repeat) -> bool {
    match error {
        ClientError::Unreachable { error, .. } => repeat == Repeat::Harmless || error.is_connect(),
        ClientError::Refused { status, .. } => {
            [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE]
                .iter()
                .any(|busy| busy.as_u16() == *status)
                || repeat == Repeat::Harmless && *status >= 500
        }
        _ => false,
    }
}

fn server(error: reqwest::Error) -> ClientError {
    ClientError::Unreachable { what: "the server", error }
}
