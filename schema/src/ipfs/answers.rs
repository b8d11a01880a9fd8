//! What matters of the RPC's answers.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VersionAnswer {
    pub(super) version: String,
}

/// Of `block/stat` and `block/put`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BlockAnswer {
    pub(super) key: String,
}

/// Of `pin/add` and `pin/rm`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PinsAnswer {
    pub(super) pins: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PinListAnswer {
    #[serde(default)]
    pub(super) keys: HashMap<String, IgnoredAny>,
}

/// Kubo 0.44 leaves out what earlier ones told besides.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct IdAnswer {
    #[serde(default)]
    pub(super) addresses: Option<Vec<String>>,
}
