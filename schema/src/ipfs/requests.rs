//! The calls as they go over the wire, and their answers.

use ipfs_api_prelude::ApiRequest;
use serde::{Deserialize, Serialize};

macro_rules! path {
    ($request:ty, $path:literal) => {
        impl ApiRequest for $request {
            const PATH: &'static str = $path;
        }
    };
}

#[derive(Serialize)]
pub(super) struct Version {}
path!(Version, "/version");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VersionAnswer {
    pub(super) version: String,
}

#[derive(Serialize)]
pub(super) struct BlockStat<'a> {
    pub(super) arg: &'a str,
    pub(super) offline: bool,
}
path!(BlockStat<'_>, "/block/stat");

/// `format` is what every version of Kubo understands; the hash is named because a node's settings
/// may name another.
#[derive(Serialize)]
pub(super) struct BlockPut {
    pub(super) format: &'static str,
    pub(super) mhtype: &'static str,
}
path!(BlockPut, "/block/put");

/// The answer to both.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BlockAnswer {
    pub(super) key: String,
}

/// The answer is a line for each removed block.
#[derive(Serialize)]
pub(super) struct RepoGc {}
path!(RepoGc, "/repo/gc");

#[derive(Serialize)]
pub(super) struct PinAdd<'a> {
    pub(super) arg: &'a str,
    pub(super) recursive: bool,
    pub(super) progress: bool,
    pub(super) name: &'static str,
}
path!(PinAdd<'_>, "/pin/add");

#[derive(Serialize)]
pub(super) struct PinRemove<'a> {
    pub(super) arg: &'a str,
    pub(super) recursive: bool,
}
path!(PinRemove<'_>, "/pin/rm");

/// The answer to both.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PinsAnswer {
    pub(super) pins: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct PinList<'a> {
    pub(super) arg: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
}
path!(PinList<'_>, "/pin/ls");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PinListAnswer {
    #[serde(default)]
    pub(super) keys: std::collections::HashMap<String, serde::de::IgnoredAny>,
}

#[derive(Serialize)]
pub(super) struct Cat<'a> {
    pub(super) arg: &'a str,
    pub(super) offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) length: Option<u64>,
}
path!(Cat<'_>, "/cat");

#[derive(Serialize)]
pub(super) struct Id {}
path!(Id, "/id");

/// What matters of it: the library's own form also wants `ProtocolVersion`, which Kubo 0.44 leaves out.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct IdAnswer {
    #[serde(default)]
    pub(super) addresses: Option<Vec<String>>,
}

#[derive(Serialize)]
pub(super) struct SwarmConnect<'a> {
    pub(super) arg: &'a str,
}
path!(SwarmConnect<'_>, "/swarm/connect");
