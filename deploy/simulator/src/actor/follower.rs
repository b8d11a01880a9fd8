//! Those who follow the feed: what they were told, and whether each event came once and in order.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use uuid::Uuid;

/// What a follower is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// It wants to be connected to this gateway.
    Wanted(usize),
    /// It is connected to this gateway.
    Open(usize),
}

/// One who follows.
#[derive(Debug, Clone)]
pub struct Follower {
    /// The video, or all.
    pub video: Option<Uuid>,
    /// Where it is connected.
    pub line: Line,
    /// The last event it knows of each video.
    pub known: BTreeMap<Uuid, i64>,
    /// Its place in the order of all.
    pub cursor: Option<String>,
    /// The position after which it was to hear of every event.
    pub start: Option<i64>,
    /// The positions that it heard of, in that order.
    pub heard: Vec<i64>,
    /// What was not in order.
    pub wrong: Option<String>,
}

impl Follower {
    /// One who follows a video.
    pub fn named(video: Uuid, gateway: usize) -> Self {
        Self::new(Some(video), gateway)
    }

    /// One who follows all.
    pub fn all(gateway: usize) -> Self {
        Self::new(None, gateway)
    }

    fn new(video: Option<Uuid>, gateway: usize) -> Self {
        Self {
            video,
            line: Line::Wanted(gateway),
            known: BTreeMap::new(),
            cursor: None,
            start: None,
            heard: Vec::new(),
            wrong: None,
        }
    }

    /// Takes a message.
    pub fn hear(&mut self, text: &str) {
        let Ok(message) = serde_json::from_str::<Value>(text) else {
            self.wrong = Some(format!("not JSON: {text}"));
            return;
        };
        let id = message["video_id"].as_str().and_then(|id| id.parse::<Uuid>().ok());
        let position = message["cursor"].as_str().and_then(position);
        if let Some(cursor) = message["cursor"].as_str() {
            self.cursor = Some(cursor.to_owned());
        }
        match (message["type"].as_str(), id, message["seq"].as_i64()) {
            (Some("snapshot"), Some(id), Some(seq)) => {
                self.known.entry(id).or_insert(seq);
            }
            (Some("snapshot"), None, None) => self.start = self.start.or(position),
            (Some("progress"), ..) => {}
            // Only tombstones that are gone can be missed, and then everything is fetched again.
            (Some("reset"), None, None) => {
                (self.start, self.heard) = (None, Vec::new());
                self.known.clear();
            }
            (Some("event"), Some(id), Some(seq)) => {
                let known = self.known.get(&id).copied();
                if known.is_some_and(|known| seq != known + 1) {
                    self.wrong = Some(format!("after {known:?} of {id} came {seq}"));
                }
                self.known.insert(id, seq);
                match (self.video, position) {
                    (Some(followed), None) if followed == id => {}
                    (None, Some(position))
                        if self.heard.last().is_none_or(|last| *last < position) =>
                    {
                        self.heard.push(position);
                    }
                    _ => self.wrong = Some(format!("not asked for, or out of order: {text}")),
                }
            }
            _ => self.wrong = Some(format!("unexpected: {text}")),
        }
    }
}

/// The position in a cursor: a version, then eight bytes.
fn position(cursor: &str) -> Option<i64> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
    Some(i64::from_be_bytes(bytes.get(1..)?.try_into().ok()?))
}
