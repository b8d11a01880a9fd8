//! Those who follow the feed: what they were told, and whether each event came once and in order.

use std::collections::BTreeMap;

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
    /// What was not in order.
    pub wrong: Option<String>,
    /// Whether it was told to fetch everything again.
    pub reset: bool,
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
            wrong: None,
            reset: false,
        }
    }

    /// Takes a message.
    pub fn hear(&mut self, text: &str) {
        let Ok(message) = serde_json::from_str::<Value>(text) else {
            self.wrong = Some(format!("not JSON: {text}"));
            return;
        };
        let id = message["video_id"].as_str().and_then(|id| id.parse::<Uuid>().ok());
        if let Some(cursor) = message["cursor"].as_str() {
            self.cursor = Some(cursor.to_owned());
        }
        match (message["type"].as_str(), id, message["seq"].as_i64()) {
            (Some("snapshot"), Some(id), Some(seq)) => {
                self.known.entry(id).or_insert(seq);
            }
            (Some("snapshot" | "progress"), ..) => {}
            (Some("reset"), ..) => self.reset = true,
            (Some("event"), Some(id), Some(seq)) => {
                let known = self.known.get(&id).copied();
                if known.is_some_and(|known| seq != known + 1) {
                    self.wrong = Some(format!("after {known:?} of {id} came {seq}"));
                }
                self.known.insert(id, seq);
            }
            _ => self.wrong = Some(format!("unexpected: {text}")),
        }
    }
}
