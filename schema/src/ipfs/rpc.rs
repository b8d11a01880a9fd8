//! A node behind Kubo's RPC.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Buf as _, Bytes};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use ipfs_api_backend_hyper::{Form, IpfsClient, TryFromUri as _};
use ipfs_api_prelude::{ApiRequest, Backend as _};
use serde::Deserialize;

use super::requests::{
    BlockAnswer, BlockPut, BlockStat, Cat, Id, IdAnswer, PinAdd, PinList, PinListAnswer, PinRemove,
    PinsAnswer, RepoGc, SwarmConnect, Version, VersionAnswer,
};
use super::{Blocks, IpfsError, Limits, PinName};
use crate::cid::{Block, Cid};

/// The client of one node.
pub(super) struct Rpc {
    client: IpfsClient,
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
        let url = format!("http://{authority}");
        let mut client = IpfsClient::from_str(&url).map_err(|_| bad())?;
        if let Some((user, secret)) = credentials {
            client = client.with_credentials(user, secret);
        }
        Ok(Self { client, limits })
    }

    /// One call whose answer is one JSON value.
    async fn call<Q, A>(
        &self,
        query: Q,
        form: Option<Form<'static>>,
        limit: Duration,
    ) -> Result<A, IpfsError>
    where
        Q: ApiRequest,
        A: for<'de> Deserialize<'de>,
    {
        let answered = self.client.request_raw(query, form);
        let (status, body) = tokio::time::timeout(limit, answered)
            .await
            .map_err(|_| IpfsError::TimedOut { call: Q::PATH, limit })?
            .map_err(IpfsError::transport)?;
        match status.as_u16() {
            200 => serde_json::from_slice(&body)
                .map_err(|source| IpfsError::Misunderstood { call: Q::PATH, source }),
            status => Err(IpfsError::refusal(status, &body)),
        }
    }
}

#[async_trait]
impl Blocks for Rpc {
    async fn version(&self) -> Result<String, IpfsError> {
        let version: VersionAnswer = self.call(Version {}, None, self.limits.answer).await?;
        Ok(version.version)
    }

    async fn has_block(&self, cid: Cid) -> Result<bool, IpfsError> {
        let query = BlockStat { arg: &cid.to_string(), offline: true };
        match self.call::<_, BlockAnswer>(query, None, self.limits.answer).await {
            Ok(_) => Ok(true),
            Err(error) if error.says_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn put_block(&self, block: &Block) -> Result<(), IpfsError> {
        let cid = block.cid();
        let query = BlockPut { format: cid.codec().name(), mhtype: "sha2-256" };
        let mut form = Form::default();
        form.add_reader("data", block.bytes().clone().reader());
        let answer: BlockAnswer = self.call(query, Some(form), self.limits.transfer).await?;
        if answer.key == cid.to_string() {
            Ok(())
        } else {
            Err(IpfsError::wrong_cid(cid, &answer.key))
        }
    }

    async fn pin(&self, root: Cid, name: PinName) -> Result<(), IpfsError> {
        let arg = root.to_string();
        let query = PinAdd { arg: &arg, recursive: true, progress: false, name: name.as_str() };
        let PinsAnswer { pins } = self.call(query, None, self.limits.pin).await?;
        match pins.iter().find(|pin| **pin != arg) {
            Some(other) => Err(IpfsError::wrong_cid(root, other)),
            None => Ok(()),
        }
    }

    async fn is_pinned(&self, root: Cid) -> Result<bool, IpfsError> {
        let arg = root.to_string();
        let query = PinList { arg: &arg, kind: "recursive" };
        match self.call(query, None, self.limits.answer).await {
            Ok(PinListAnswer { keys }) => Ok(keys.contains_key(&arg)),
            Err(error) if error.says_not_pinned() => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn unpin(&self, root: Cid) -> Result<(), IpfsError> {
        let query = PinRemove { arg: &root.to_string(), recursive: true };
        match self.call::<_, PinsAnswer>(query, None, self.limits.answer).await {
            Ok(_) => Ok(()),
            Err(error) if error.says_not_pinned() => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn collect_garbage(&self) -> Result<(), IpfsError> {
        let limit = self.limits.pin;
        let collected = self.client.request_raw(RepoGc {}, None::<Form<'static>>);
        let (status, body) = tokio::time::timeout(limit, collected)
            .await
            .map_err(|_| IpfsError::TimedOut { call: RepoGc::PATH, limit })?
            .map_err(IpfsError::transport)?;
        match status.as_u16() {
            200 => Ok(()),
            status => Err(IpfsError::refusal(status, &body)),
        }
    }

    async fn addresses(&self) -> Result<Vec<String>, IpfsError> {
        let answer: IdAnswer = self.call(Id {}, None, self.limits.answer).await?;
        Ok(answer.addresses.unwrap_or_default())
    }

    async fn connect(&self, peer: &str) -> Result<(), IpfsError> {
        let query = SwarmConnect { arg: peer };
        self.call::<_, serde::de::IgnoredAny>(query, None, self.limits.answer).await?;
        Ok(())
    }

    fn cat(
        &self,
        cid: Cid,
        offset: u64,
        length: Option<u64>,
    ) -> BoxStream<'static, Result<Bytes, IpfsError>> {
        let limit = self.limits.transfer;
        let query = Cat { arg: &cid.to_string(), offset, length };
        let pieces = match self.client.build_base_request(query, None) {
            Ok(request) => self
                .client
                .request_stream_bytes(request)
                .map_err(IpfsError::transport)
                .left_stream(),
            Err(error) => stream::iter([Err(IpfsError::transport(error))]).right_stream(),
        };
        Box::pin(stream::unfold(Some(pieces), move |pieces| async move {
            let mut pieces = pieces?;
            match tokio::time::timeout(limit, pieces.next()).await {
                Ok(Some(Ok(piece))) => Some((Ok(piece), Some(pieces))),
                Ok(Some(Err(error))) => Some((Err(error), None)),
                Ok(None) => None,
                Err(_) => Some((Err(IpfsError::TimedOut { call: "/cat", limit }), None)),
            }
        }))
    }
}
