//! What is said over the WebSocket.

use std::collections::HashMap;

use axum::extract::ws::Utf8Bytes;
use reelpin_schema::event::Numbered;
use reelpin_schema::queue::Progress;
use reelpin_schema::video::Status;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::cursor::Cursor;

/// To us.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(super) enum Ask {
    Auth {
        key: String,
    },
    Subscribe {
        #[serde(default)]
        videos: Vec<Uuid>,
        /// The last number that is known, by video.
        #[serde(default)]
        since: HashMap<Uuid, i64>,
        #[serde(default)]
        all: bool,
        /// Of `all`: where to go on.
        cursor: Option<String>,
    },
    Unsubscribe {
        #[serde(default)]
        videos: Vec<Uuid>,
        #[serde(default)]
        all: bool,
    },
}

/// From us.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Say<'a> {
    Snapshot {
        video_id: Uuid,
        /// Number of its last event.
        seq: i64,
        upload_status: Status,
    },
    /// Where following all videos begins.
    #[serde(rename = "snapshot")]
    Start { cursor: Cursor },
    Event {
        video_id: Uuid,
        #[serde(flatten)]
        event: &'a Numbered,
        /// Only for those who follow all videos.
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<Cursor>,
    },
    Progress {
        video_id: Uuid,
        #[serde(flatten)]
        progress: &'a Progress,
    },
    /// A `since`, or without a video a `cursor`, that we do not know.
    Reset {
        #[serde(skip_serializing_if = "Option::is_none")]
        video_id: Option<Uuid>,
    },
    Error {
        code: &'static str,
        detail: &'a str,
        suggestion: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        video_id: Option<Uuid>,
    },
}

impl Say<'_> {
    /// The message as it is sent.
    pub(super) fn text(&self) -> Utf8Bytes {
        // Maps with string keys and plain values: nothing here can fail to be written.
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

/// Why a connection is closed, and the code that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// The client closed it or is gone: nothing is said.
    Gone,
    /// The gateway ends.
    Stopping,
    /// No key in time, or a wrong one.
    Unauthorized,
    /// It does not read fast enough.
    TooSlow,
    /// Something that we need does not answer.
    TryLater,
}

impl Close {
    /// Code and reason (RFC 6455, 7.4; 4000 and above are ours).
    pub(super) const fn words(self) -> Option<(u16, &'static str)> {
        match self {
            Self::Gone => None,
            Self::Stopping => Some((1001, "the server is stopping")),
            Self::Unauthorized => Some((4401, "the key is missing or wrong")),
            Self::TooSlow => Some((4408, "too slow; come back with since or cursor")),
            Self::TryLater => Some((1013, "try again in a few seconds")),
        }
    }
}
