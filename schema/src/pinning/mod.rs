//! Remote services that keep content: clients of the IPFS Pinning Service API 1.0.0
//! (<https://ipfs.github.io/pinning-services-api-spec/>).
//!
//! A service is asked to keep a content id; it fetches the blocks itself, from the addresses we name
//! (`origins`) or over the connections that our node opens to its `delegates`. A request has an id of
//! its own. Ours are told from others of the same account by their name or their metadata, so one
//! whose answer was lost is found again.
//!
//! Services differ from the specification, and this client takes them as they are: Pinata answers 200
//! where 202 is due, ends DELETE with the text `OK`, and leaves names out of lists; IPFS Cluster gives
//! the same id to every request of one content. So statuses are judged by their hundreds, lists are
//! asked for by content id alone, and what they hold is looked through here.

mod config;
mod error;
mod reach;
mod services;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, Method, redirect};

pub(crate) use self::config::is_setting;
pub use self::config::{Config, place};
pub use self::error::{Fault, ServiceError};
pub use self::reach::{advice, dialable};
pub use self::services::{Services, Turn};
pub use self::wire::{Request, Status};

use crate::cid::Cid;
use crate::ipfs::ANSWER;
use crate::pin::Role;
use wire::{Listed, Wanted};

/// How long a service may take to take a request: it may look for the content first. Within
/// [`crate::ipfs::PIN`], by which a late one is counted on ([`crate::unpin::LATE_PIN`]).
const TAKE: Duration = Duration::from_secs(30);

/// How long connecting may take, of either limit.
const CONNECT: Duration = Duration::from_secs(5);

/// The longest answer that is read, bytes: a full list is 100 requests of some 2 KiB.
const BODY: usize = 1 << 20;

/// Requests asked for in one list. The specification allows 1,000; ours of one content are few.
const LISTED: usize = 100;

/// What `meta.app` of our requests says.
const APP: &str = "reelpin";

/// How long a service may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// To answer a question, and to let go of a request: [`crate::unpin`] counts on at most
    /// [`ANSWER`].
    pub answer: Duration,
    /// To take a request.
    pub take: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { answer: ANSWER, take: TAKE }
    }
}

/// A service. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    name: Arc<str>,
    client: Client,
    /// Without a slash at its end.
    endpoint: Arc<str>,
    authorization: HeaderValue,
    limits: Limits,
    /// Whether it is on this machine.
    near: bool,
    original: bool,
}

impl Service {
    /// A client of the service that the settings name; nothing is sent yet.
    ///
    /// # Errors
    /// [`ServiceError::Settings`] when the token cannot stand in a header, or no client can be made.
    pub fn new(config: &Config, limits: Limits) -> Result<Self, ServiceError> {
        crate::tls::provider();
        let name: Arc<str> = config.name.as_str().into();
        let wrong = |what: &'static str| ServiceError::Settings { service: name.clone(), what };
        let bearer = format!("Bearer {}", config.token.expose());
        let mut authorization = HeaderValue::from_str(&bearer)
            .map_err(|_| wrong("its token is not of plain letters"))?;
        authorization.set_sensitive(true);
        let near = config.is_near();
        let mut builder =
            // A redirect would carry the token elsewhere.
            Client::builder().redirect(redirect::Policy::none()).connect_timeout(CONNECT);
        if near {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|_| wrong("no HTTP client can be made for it"))?;
        let endpoint = config.endpoint.trim_end_matches('/').into();
        let original = config.original;
        Ok(Self { name, client, endpoint, authorization, limits, near, original })
    }

    /// Its name in the settings, the target of its pins.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is on this machine, so that it reaches addresses that others do not.
    pub fn is_near(&self) -> bool {
        self.near
    }

    /// Whether it is given what this role keeps: originals only when the settings say so.
    pub fn takes(&self, role: Role) -> bool {
        match role {
            Role::Published => true,
            Role::Original => self.original,
        }
    }

    /// Our requests for this content, whatever became of them; the one that is furthest first. Read
    /// from at most 100 requests of the account.
    ///
    /// # Errors
    /// Any [`ServiceError`] of a call.
    pub async fn find(&self, cid: Cid) -> Result<Vec<Request>, ServiceError> {
        let query = format!("?cid={cid}&status=queued,pinning,pinned,failed&limit={LISTED}");
        let body = self.call(Method::GET, &query, None, self.limits.answer).await?;
        let Listed { results } = self.read("GET /pins", &body)?;
        let mut ours: Vec<_> = results.into_iter().filter(|found| found.is_of(cid)).collect();
        ours.sort_by_key(|request| request.status.distance());
        Ok(ours)
    }

    /// Asks it to keep a content, in vain or not: an error leaves open whether it was heard, and
    /// [`Service::find`] tells. `origins` are addresses where it may fetch the blocks; 20 are sent at
    /// most, as the specification allows.
    ///
    /// # Errors
    /// Any [`ServiceError`] of a call.
    pub async fn add(
        &self,
        cid: Cid,
        role: Role,
        origins: &[String],
    ) -> Result<Request, ServiceError> {
        let body = Wanted::new(cid, role, origins).to_json();
        self.taken("POST /pins", "", body, cid).await
    }

    /// Where a request stands; `None` when the service knows none of this id and content.
    ///
    /// # Errors
    /// Any other [`ServiceError`] of a call.
    pub async fn look(&self, id: &str, cid: Cid) -> Result<Option<Request>, ServiceError> {
        let path = format!("/{}", escaped(id));
        match self.call(Method::GET, &path, None, self.limits.answer).await {
            Ok(body) => {
                let request: Request = self.read("GET /pins/{requestid}", &body)?;
                Ok(Some(request).filter(|request| request.keeps(cid)))
            }
            Err(ServiceError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts a request for `cid` in the place of one for another content, which goes.
    ///
    /// # Errors
    /// [`ServiceError::Missing`] when there is no such request; any other of a call.
    pub async fn replace(
        &self,
        id: &str,
        cid: Cid,
        role: Role,
        origins: &[String],
    ) -> Result<Request, ServiceError> {
        let body = Wanted::new(cid, role, origins).to_json();
        self.taken("POST /pins/{requestid}", &format!("/{}", escaped(id)), body, cid).await
    }

    /// Removes a request; one that is not there is fine.
    ///
    /// # Errors
    /// Any other [`ServiceError`] of a call.
    pub async fn remove(&self, id: &str) -> Result<(), ServiceError> {
        let path = format!("/{}", escaped(id));
        match self.call(Method::DELETE, &path, None, self.limits.answer).await {
            Ok(_) | Err(ServiceError::Missing { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes every request of ours for a content. Safe to drop half-way and to repeat.
    ///
    /// # Errors
    /// Any [`ServiceError`] of a call; those before it are removed.
    pub async fn release(&self, cid: Cid) -> Result<(), ServiceError> {
        for request in self.find(cid).await? {
            self.remove(&request.id).await?;
        }
        Ok(())
    }

    async fn taken(
        &self,
        call: &'static str,
        path: &str,
        body: String,
        cid: Cid,
    ) -> Result<Request, ServiceError> {
        let answer = self.call(Method::POST, path, Some(body), self.limits.take).await?;
        let request: Request = self.read(call, &answer)?;
        match request.keeps(cid) {
            true => Ok(request),
            false => Err(ServiceError::OtherContent {
                service: self.name.clone(),
                want: cid,
                got: error::bounded(&request.pin.cid),
            }),
        }
    }

    fn read<T: serde::de::DeserializeOwned>(
        &self,
        call: &'static str,
        body: &[u8],
    ) -> Result<T, ServiceError> {
        serde_json::from_slice(body).map_err(|source| ServiceError::Misunderstood {
            service: self.name.clone(),
            call,
            source,
        })
    }

    /// One call below `/pins`, with one limit for all of it.
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        limit: Duration,
    ) -> Result<Vec<u8>, ServiceError> {
        let url = format!("{}/pins{path}", self.endpoint);
        let mut request =
            self.client.request(method, url).header(AUTHORIZATION, self.authorization.clone());
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        tokio::time::timeout(limit, self.answer(request))
            .await
            .map_err(|_| ServiceError::TimedOut { service: self.name.clone(), limit })?
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, ServiceError> {
        let lost = |source: reqwest::Error| ServiceError::Unreachable {
            service: self.name.clone(),
            source: source.without_url(),
        };
        let mut answer = request.send().await.map_err(lost)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(lost)? {
            if body.len() + piece.len() > BODY {
                return Err(ServiceError::TooLong { service: self.name.clone(), limit: BODY });
            }
            body.extend_from_slice(&piece);
        }
        if status.is_success() {
            return Ok(body);
        }
        Err(ServiceError::answered(self.name.clone(), status.as_u16(), &headers, &body))
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Service").field(&self.name).field(&self.endpoint).finish()
    }
}

/// A request's id as a path segment: whatever a service made up, it names nothing else.
fn escaped(id: &str) -> String {
    let mut path = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => path.push(byte.into()),
            // A dot alone would name a folder.
            other => path.push_str(&format!("%{other:02X}")),
        }
    }
    path
}
