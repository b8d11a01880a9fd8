//! The client of an IPFS node: the part of Kubo's RPC that storing and pinning need.
//!
//! It speaks to Kubo or to the local node, which answers the same calls. We name content
//! ([`crate::cid`]) before a node sees it: blocks go there one by one and the node must answer with
//! our id, so no setting of a node can change a name. Every call has a time limit and may be
//! repeated after any error; nothing runs on after its future was dropped.
//!
//! To publish a folder: [`Node::put_file`] for each file, [`Node::put_blocks`] for the folder's own
//! blocks, [`Node::pin`] at once (blocks without a pin go at the node's next clean-up), and
//! [`Node::is_pinned`] as the proof.

mod error;
mod pins;
mod put;
mod read;
mod requests;

use std::fmt;
use std::time::Duration;

use ipfs_api_backend_hyper::{Form, IpfsClient, TryFromUri as _};
use ipfs_api_prelude::{ApiRequest, Backend as _};
use serde::Deserialize;

pub use self::error::IpfsError;
pub use self::pins::PinName;

/// How long a node may take.
///
/// There is no limit for connecting apart: each call has a connection of its own and its limit
/// covers it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// To answer a question: version, a block's presence, a pin's, and removing a pin.
    pub answer: Duration,
    /// To take a block of at most 1 MiB, and to give the next piece of a file.
    pub transfer: Duration,
    /// To pin: it walks the whole tree, and on a node with missing blocks it asks the network.
    pub pin: Duration,
}

impl Default for Limits {
    /// 10 s, 30 s and 2 min. Measured with 2 busy cores: 10 ms a block, 0.6 s to pin 500 of them.
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            transfer: Duration::from_secs(30),
            pin: Duration::from_secs(120),
        }
    }
}

/// An IPFS node, by its RPC. Cheap to clone.
#[derive(Clone)]
pub struct Node {
    client: IpfsClient,
    url: String,
    limits: Limits,
}

impl Node {
    /// A node at `rpc_url`, `http://host:port` (a path is ignored); nothing is sent yet.
    /// `credentials` are a user and a secret for basic authentication.
    ///
    /// # Errors
    /// [`IpfsError::BadUrl`] for anything else than plain HTTP: a node's RPC is a private service.
    pub fn new(
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
        Ok(Self { client, url, limits })
    }

    /// The node's program and version: whether it is there. (`id` of this client's library does
    /// not understand the answer of Kubo 0.44.)
    ///
    /// # Errors
    /// Any [`IpfsError`] of a call.
    pub async fn version(&self) -> Result<String, IpfsError> {
        let version: requests::VersionAnswer =
            self.call(requests::Version {}, None, self.limits.answer).await?;
        Ok(version.version)
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

/// Without the credentials.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("url", &self.url).field("limits", &self.limits).finish()
    }
}
