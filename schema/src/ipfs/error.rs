//! What can go wrong between us and an IPFS node. None of it is an uploader's fault.

use std::error::Error as StdError;
use std::time::Duration;

use serde::Deserialize;

use crate::cid::{Cid, CidError};

/// Why a call to a node did not do what it should. All may be tried again as a whole, but
/// [`IpfsError::BadUrl`] and [`IpfsError::Forbidden`], which wait for the operator.
#[derive(Debug, thiserror::Error)]
pub enum IpfsError {
    /// The settings name no plain HTTP address.
    #[error("{url:?} is not http://host:port")]
    BadUrl {
        /// What they name.
        url: String,
    },
    /// Nobody answers there, or the connection broke.
    #[error("the ipfs node cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// No whole answer within the limit. Whether the node did it is unknown.
    #[error("the ipfs node took longer than {limit:?} for {call}")]
    TimedOut {
        /// Path of the call.
        call: &'static str,
        /// The limit that ran out.
        limit: Duration,
    },
    /// The node wants other credentials.
    #[error("the ipfs node refuses our credentials ({status})")]
    Forbidden {
        /// HTTP status: 401 or 403.
        status: u16,
    },
    /// The node answered with an error.
    #[error("the ipfs node refuses: {message}")]
    Refused {
        /// Its own words, at most 300 characters.
        message: String,
    },
    /// An answer that is not what Kubo's RPC gives.
    #[error("the ipfs node's answer to {call} is not understood")]
    Misunderstood {
        /// Path of the call.
        call: &'static str,
        /// What is wrong with its JSON.
        #[source]
        source: serde_json::Error,
    },
    /// An answer of a length that nobody needs.
    #[error("the ipfs node's answer to {call} is longer than {limit} bytes")]
    TooLong {
        /// Path of the call.
        call: &'static str,
        /// Bytes.
        limit: usize,
    },
    /// The node names content with something that is no id of ours.
    #[error("the ipfs node names {text:?} where {expected} was due")]
    BadCid {
        /// What we asked for.
        expected: Cid,
        /// What it says.
        text: String,
        /// What is wrong with it.
        #[source]
        source: CidError,
    },
    /// The content, or the node's idea of it, is not what was expected.
    #[error("content {got} where {expected} was due")]
    WrongCid {
        /// What should have come.
        expected: Cid,
        /// What came.
        got: Cid,
    },
    /// The content could not be read while it was being sent; the node is innocent.
    #[error("the content cannot be read")]
    Content(#[source] Box<dyn StdError + Send + Sync>),
}

impl IpfsError {
    /// The connection was not made, or broke.
    pub(super) fn unreachable(error: reqwest::Error) -> Self {
        Self::Unreachable(error.without_url())
    }

    /// An answer with another status than 200.
    pub(super) fn refusal(status: u16, body: &[u8]) -> Self {
        /// Kubo's form of an error; it comes with status 500 whatever the reason.
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Refusal {
            message: String,
        }
        if matches!(status, 401 | 403) {
            return Self::Forbidden { status };
        }
        match serde_json::from_slice::<Refusal>(body) {
            Ok(refusal) => Self::refused(&refusal.message),
            Err(_) => Self::refused(&format!("{status} {}", String::from_utf8_lossy(body).trim())),
        }
    }

    fn refused(message: &str) -> Self {
        Self::Refused { message: message.chars().take(300).collect() }
    }

    /// The node says that something is not pinned. Kubo tells it by its words alone: `pin/ls`
    /// "path '..' is not pinned", `pin/rm` "not pinned or pinned indirectly".
    pub(super) fn says_not_pinned(&self) -> bool {
        matches!(self, Self::Refused { message } if message.contains("not pinned"))
    }

    /// The node says that it lacks a block. Kubo, told to stay offline: "block was not found
    /// locally (offline): ipld: could not find <id>".
    pub(super) fn says_not_found(&self) -> bool {
        matches!(self, Self::Refused { message }
            if message.contains("not found") || message.contains("could not find"))
    }
}
