//! Requests and answers as they go over the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::APP;
use crate::cid::Cid;
use crate::pin::Role;

/// The most addresses that a request may name (the specification's `Origins`, `maxItems`).
pub(super) const ORIGINS: usize = 20;

/// The most of a service's answer that is used of a list which the specification bounds by 20.
const DELEGATES: usize = 20;

/// The longest request id that is believed: the specification gives none, and UUIDs and content ids
/// are far below.
const ID: usize = 256;

/// Where a request stands at a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It waits for its turn.
    Queued,
    /// The blocks are being fetched.
    Pinning,
    /// It is kept.
    Pinned,
    /// The service gave up.
    Failed,
}

impl Status {
    /// How far it is from being kept, for comparison.
    pub(super) const fn distance(self) -> u8 {
        match self {
            Self::Pinned => 0,
            Self::Pinning => 1,
            Self::Queued => 2,
            Self::Failed => 3,
        }
    }
}

/// A request as a service tells it (`PinStatus`).
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    /// Its id, `requestid`.
    #[serde(rename = "requestid", deserialize_with = "id")]
    pub id: String,
    /// Where it stands.
    pub status: Status,
    pub(super) pin: Pinned,
    #[serde(default)]
    delegates: Option<Vec<String>>,
    #[serde(default)]
    info: Option<BTreeMap<String, serde_json::Value>>,
}

impl Request {
    /// Addresses of the service's nodes, which want a connection from ours: 20 at most.
    pub fn delegates(&self) -> impl Iterator<Item = &str> {
        self.delegates.iter().flatten().map(String::as_str).take(DELEGATES)
    }

    /// The service's own words about where it stands, if any, at most 300 characters.
    pub fn details(&self) -> Option<String> {
        let words = self.info.as_ref()?.get("status_details")?.as_str()?;
        Some(super::error::bounded(words))
    }

    /// Whether it is about this content.
    pub(super) fn keeps(&self, cid: Cid) -> bool {
        self.pin.cid.parse() == Ok(cid)
    }

    /// Whether it is ours and about this content.
    pub(super) fn is_of(&self, cid: Cid) -> bool {
        let named = self.pin.name.as_deref().is_some_and(|name| {
            [Role::Published, Role::Original].into_iter().any(|role| name == request_name(role))
        });
        let meta = self.pin.meta.as_ref().and_then(|meta| meta.get("app")?.as_str());
        self.keeps(cid) && (named || meta == Some(APP))
    }
}

/// What a request is about (`Pin` of an answer). Services add fields of their own, and nulls.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Pinned {
    pub(super) cid: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    meta: Option<BTreeMap<String, serde_json::Value>>,
}

/// `PinResults`. One that is not understood is somebody else's, and skipped.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    #[serde(deserialize_with = "readable")]
    pub(super) results: Vec<Request>,
}

fn readable<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Request>, D::Error> {
    let all = Vec::<serde_json::Value>::deserialize(from)?;
    Ok(all.into_iter().filter_map(|one| serde_json::from_value(one).ok()).collect())
}

fn id<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let id = String::deserialize(from)?;
    match id.is_empty() || id.len() > ID {
        true => Err(serde::de::Error::custom("a request id is empty or too long")),
        false => Ok(id),
    }
}

/// What is asked for (`Pin` of a question).
#[derive(Debug, Serialize)]
pub(super) struct Wanted<'a> {
    cid: String,
    name: &'static str,
    origins: &'a [String],
    meta: BTreeMap<&'static str, &'static str>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(cid: Cid, role: Role, origins: &'a [String]) -> Self {
        Self {
            cid: cid.to_string(),
            name: request_name(role),
            origins: origins.get(..ORIGINS).unwrap_or(origins),
            meta: BTreeMap::from([("app", APP), ("role", role.name())]),
        }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

/// The name of our requests: no video's, which is nobody's business there.
const fn request_name(role: Role) -> &'static str {
    match role {
        Role::Published => "reelpin published",
        Role::Original => "reelpin original",
    }
}
