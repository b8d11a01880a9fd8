//! The messages and how they are written. Readers are older and newer than writers: unknown fields
//! are passed over, and a message of a newer version still wakes.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Heard, Progress};

/// The version that is written, and the newest that is understood.
const VERSION: u64 = 1;

/// `video-transcode-queue`: some task is ready.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskHint {
    /// Version of this message.
    pub v: u8,
}

/// `video-status-updates`: something about a video changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusHint {
    /// Version of this message.
    pub v: u8,
    /// Which video.
    pub video_id: Uuid,
    /// How far its segments are; `None` when an event was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The relay's: every event up to this position can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
}

/// What is published, on one of the two topics.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// On `video-transcode-queue`.
    Task(TaskHint),
    /// On `video-status-updates`.
    Status(StatusHint),
}

impl Message {
    /// As JSON.
    pub(super) fn written(&self) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::Task(hint) => serde_json::to_vec(hint),
            Self::Status(hint) => serde_json::to_vec(hint),
        }
    }
}

/// What every version has.
#[derive(Deserialize)]
struct Versioned {
    v: u64,
}

/// A hint for a worker from its JSON. Whatever else a newer version says, it says that there is work.
pub(super) fn read_task(bytes: &[u8]) -> Result<Heard<TaskHint>, serde_json::Error> {
    let Versioned { v } = serde_json::from_slice(bytes)?;
    Ok(Heard::Hint(TaskHint { v: u8::try_from(v).unwrap_or(u8::MAX) }))
}

/// A hint for a feed from its JSON. One of a newer version that is not understood means that
/// something changed.
pub(super) fn read_status(bytes: &[u8]) -> Result<Heard<StatusHint>, serde_json::Error> {
    match serde_json::from_slice(bytes) {
        Ok(hint) => Ok(Heard::Hint(hint)),
        Err(error) => match serde_json::from_slice(bytes) {
            Ok(Versioned { v }) if v > VERSION => Ok(Heard::Missed),
            _ => Err(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_other_versions_wake_and_garbage_does_not() {
        let nil = Uuid::nil();
        let task = |text: &str| read_task(text.as_bytes()).ok();
        assert_eq!(task(r#"{"v":1}"#), Some(Heard::Hint(TaskHint { v: 1 })));
        assert_eq!(task(r#"{"v":2,"kind":"x"}"#), Some(Heard::Hint(TaskHint { v: 2 })));
        assert_eq!(task(r#"{"v":70000}"#), Some(Heard::Hint(TaskHint { v: 255 })));
        for garbage in ["", "null", "{}", r#"{"v":-1}"#, r#"{"v":"1"}"#, "\u{fffd}"] {
            assert_eq!(task(garbage), None, "{garbage}");
        }

        let status = |text: &str| read_status(text.as_bytes()).ok();
        let plain = StatusHint { v: 1, video_id: nil, progress: None, position: None };
        assert_eq!(status(&format!(r#"{{"v":1,"video_id":"{nil}"}}"#)), Some(Heard::Hint(plain)));
        let newer = StatusHint { v: 3, video_id: nil, progress: None, position: Some(7) };
        let text = format!(r#"{{"v":3,"video_id":"{nil}","position":7,"mood":"new"}}"#);
        assert_eq!(status(&text), Some(Heard::Hint(newer)));
        assert_eq!(status(r#"{"v":2,"videos":["a"]}"#), Some(Heard::Missed));
        assert_eq!(status(r#"{"v":1,"videos":["a"]}"#), None);
        assert_eq!(status("[]"), None);
    }

    #[test]
    fn what_is_written_stays_as_it_was() {
        let text = |message: Message| String::from_utf8(message.written().unwrap()).unwrap();
        assert_eq!(text(Message::Task(TaskHint { v: 1 })), r#"{"v":1}"#);
        let video_id = Uuid::nil();
        let progress = Some(Progress { percent: 5, rungs: [("480p".to_owned(), 10)].into() });
        let hint = StatusHint { v: 1, video_id, progress, position: None };
        let json = r#"{"v":1,"video_id":"00000000-0000-0000-0000-000000000000","progress":{"percent":5,"rungs":{"480p":10}}}"#;
        assert_eq!(text(Message::Status(hint)), json);
    }
}
