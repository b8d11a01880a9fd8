//! A node behind Kubo's RPC: POST below `/api/v0`, arguments in the query, answers in JSON.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Response, Url, redirect};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::answers::{BlockAnswer, IdAnswer, PinListAnswer, PinsAnswer, VersionAnswer};
use super::form::Form;
use super::{Blocks, IpfsError, Limits, PinName};
use crate::cid::{Block, Cid};
use crate::secret::Secret;

/// The longest answer that is kept, bytes: all are some hundred, but `pin/ls` lists what it is asked for.
const BODY: usize = 1 << 20;

/// The client of one node.
pub(super) struct Rpc {
    client: Client,
    base: Url,
    credentials: Option<(String, Secret)>,
    limits: Limits,
}

impl Rpc {
    pub(super) fn new(
        rpc_url: &str,
        credentials: Option<(&str, &str)>,
        limits: Limits,
    ) -> Result<Self, IpfsError> {
        let bad = || IpfsError::BadUrl { url: rpc_url.to_owned() };
        let rest = rpc_url.strip_prefix("http://").ok_or_else(bad)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() || authority.contains('@') {
            return Err(bad());
        }
        let base = Url::parse(&format!("http://{authority}/api/v0")).map_err(|_| bad())?;
        crate::tls::provider();
        // A node that was started anew has closed what we would take up again, and it stands beside us.
        let builder = Client::builder()
            .pool_max_idle_per_host(0)
            .redirect(redirect::Policy::none())
            // Plain HTTP trusts no certificates, and a machine may have none.
            .tls_certs_only([])
            .no_proxy();
        let client = builder.build().map_err(|_| bad())?;
        let credentials = credentials.map(|(user, secret)| (user.to_owned(), Secret::new(secret)));
        Ok(Self { client, base, credentials, limits })
    }

    /// The request of a call, `/` before its name.
    fn request(&self, call: &'static str, query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("/api/v0{call}"));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.client.post(url);
        match &self.credentials {
            Some((user, secret)) => request.basic_auth(user, Some(secret.expose())),
            None => request,
        }
    }

    /// A call whose answer is one JSON value.
    async fn call<A: for<'de> Deserialize<'de>>(
        &self,
        call: &'static str,
        query: &[(&str, &str)],
        limit: Duration,
    ) -> Result<A, IpfsError> {
        ask(call, self.request(call, query), limit).await
    }
}

/// Sends a request and reads its answer, all within `limit`.
async fn ask<A: for<'de> Deserialize<'de>>(
    call: &'static str,
    request: RequestBuilder,
    limit: Duration,
) -> Result<A, IpfsError> {
    let body = within(call, limit, async {
        let answer = accepted(request).await?;
        let (body, whole) = text(answer).await?;
        if whole { Ok(body) } else { Err(IpfsError::TooLong { call, limit: BODY }) }
    });
    serde_json::from_slice(&body.await?).map_err(|source| IpfsError::Misunderstood { call, source })
}

/// Sends a request; what comes back has status 200.
async fn accepted(request: RequestBuilder) -> Result<Response, IpfsError> {
    let answer = request.send().await.map_err(IpfsError::unreachable)?;
    match answer.status().as_u16() {
        200 => Ok(answer),
        status => Err(IpfsError::refusal(status, &text(answer).await?.0)),
    }
}

/// What an answer says, and whether that is all of it.
async fn text(mut answer: Response) -> Result<(Vec<u8>, bool), IpfsError> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(IpfsError::unreachable)? {
        if body.len() + piece.len() > BODY {
            return Ok((body, false));
        }
        body.extend_from_slice(&piece);
    }
    Ok((body, true))
}

async fn within<T>(
    call: &'static str,
    limit: Duration,
    work: impl Future<Output = Result<T, IpfsError>>,
) -> Result<T, IpfsError> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(IpfsError::TimedOut { call, limit }))
}

#[async_trait]
impl Blocks for Rpc {
    async fn version(&self) -> Result<String, IpfsError> {
        let version: VersionAnswer = self.call("/version", &[], self.limits.answer).await?;
        Ok(version.version)
    }

    async fn has_block(&self, cid: Cid) -> Result<bool, IpfsError> {
        let query = [("arg", &*cid.to_string()), ("offline", "true")];
        match self.call::<BlockAnswer>("/block/stat", &query, self.limits.answer).await {
            Ok(_) => Ok(true),
            Err(error) if error.says_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// `format` is what every version of Kubo understands; the hash is named because a node's settings
    /// may name another.
    async fn put_block(&self, block: &Block) -> Result<(), IpfsError> {
        let cid = block.cid();
        let query = [("format", cid.codec().name()), ("mhtype", "sha2-256")];
        let form = Form::of(block.bytes());
        let request = self
            .request("/block/put", &query)
            .header(CONTENT_TYPE, form.content_type)
            .body(form.body);
        let answer: BlockAnswer = ask("/block/put", request, self.limits.transfer).await?;
        if answer.key == cid.to_string() {
            Ok(())
        } else {
            Err(IpfsError::wrong_cid(cid, &answer.key))
        }
    }

    async fn pin(&self, root: Cid, name: PinName) -> Result<(), IpfsError> {
        let arg = root.to_string();
        let query =
            [("arg", &*arg), ("recursive", "true"), ("progress", "false"), ("name", name.as_str())];
        let PinsAnswer { pins } = self.call("/pin/add", &query, self.limits.pin).await?;
        match pins.iter().find(|pin| **pin != arg) {
            Some(other) => Err(IpfsError::wrong_cid(root, other)),
            None => Ok(()),
        }
    }

    async fn is_pinned(&self, root: Cid) -> Result<bool, IpfsError> {
        let arg = root.to_string();
        let query = [("arg", &*arg), ("type", "recursive")];
        match self.call("/pin/ls", &query, self.limits.answer).await {
            Ok(PinListAnswer { keys }) => Ok(keys.contains_key(&arg)),
            Err(error) if error.says_not_pinned() => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn unpin(&self, root: Cid) -> Result<(), IpfsError> {
        let query = [("arg", &*root.to_string()), ("recursive", "true")];
        match self.call::<PinsAnswer>("/pin/rm", &query, self.limits.answer).await {
            Ok(_) => Ok(()),
            Err(error) if error.says_not_pinned() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The answer is a line for each removed block: read, and not kept.
    async fn collect_garbage(&self) -> Result<(), IpfsError> {
        let call = "/repo/gc";
        within(call, self.limits.pin, async {
            let mut answer = accepted(self.request(call, &[])).await?;
            while answer.chunk().await.map_err(IpfsError::unreachable)?.is_some() {}
            Ok(())
        })
        .await
    }

    async fn addresses(&self) -> Result<Vec<String>, IpfsError> {
        let answer: IdAnswer = self.call("/id", &[], self.limits.answer).await?;
        Ok(answer.addresses.unwrap_or_default())
    }

    async fn connect(&self, peer: &str) -> Result<(), IpfsError> {
        self.call::<IgnoredAny>("/swarm/connect", &[("arg", peer)], self.limits.answer).await?;
        Ok(())
    }

    fn cat(
        &self,
        cid: Cid,
        offset: u64,
        length: Option<u64>,
    ) -> BoxStream<'static, Result<Bytes, IpfsError>> {
        let (call, limit) = ("/cat", self.limits.transfer);
        let (cid, offset, length) =
            (cid.to_string(), offset.to_string(), length.map(|length| length.to_string()));
        let mut query = vec![("arg", &*cid), ("offset", &*offset)];
        query.extend(length.as_deref().map(|length| ("length", length)));
        let answer = accepted(self.request(call, &query));
        let pieces = stream::once(answer)
            .map_ok(|answer| answer.bytes_stream().map_err(IpfsError::unreachable))
            .try_flatten();
        Box::pin(stream::unfold(Some(Box::pin(pieces)), move |pieces| async move {
            let mut pieces = pieces?;
            match tokio::time::timeout(limit, pieces.next()).await {
                Ok(Some(Ok(piece))) => Some((Ok(piece), Some(pieces))),
                Ok(Some(Err(error))) => Some((Err(error), None)),
                Ok(None) => None,
                Err(_) => Some((Err(IpfsError::TimedOut { call, limit }), None)),
            }
        }))
    }
}
