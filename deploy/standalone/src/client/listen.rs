//! One connection to the feed: subscribe from where the state stands, apply what comes. A feed that
//! ends, skips a number or goes quiet is given up; whoever called looks at the progress and returns.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::{connect_async_with_config, tungstenite};
use tungstenite::{Message, protocol::WebSocketConfig};

use super::{
    api::{Api, CONNECT},
    follow::State,
};

/// Without a message for this long a ping goes out, and twice that ends the connection.
const QUIET: Duration = Duration::from_secs(20);
/// No message of the feed comes near this, in bytes.
const MAX_MESSAGE: usize = 1 << 20;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The video has ended, as the state says.
    Ended,
    /// The feed was heard for a while, then lost.
    Lost,
    /// It could not be reached, or said nothing.
    Unheard,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Heard {
    Snapshot {
        video_id: String,
        seq: u64,
        upload_status: String,
    },
    Event {
        video_id: String,
        seq: u64,
        name: String,
        #[serde(default)]
        data: Value,
    },
    Progress {
        video_id: String,
        #[serde(flatten)]
        facts: Value,
    },
    Reset,
    #[serde(other)]
    Other,
}

pub(super) async fn listen(
    api: &Api,
    id: &str,
    state: &mut State,
    changed: &mut impl FnMut(&State),
) -> End {
    let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE));
    let connecting = connect_async_with_config(api.feed(), Some(config), true);
    let Ok(Ok((mut feed, _))) = timeout(CONNECT, connecting).await else { return End::Unheard };
    let mut greeting = Vec::new();
    if let Some(key) = api.key() {
        greeting.push(json!({ "op": "auth", "key": key }));
    }
    let mut subscribe = json!({ "op": "subscribe", "videos": [id] });
    if let Some(seq) = state.seq {
        subscribe["since"] = json!({ id: seq });
    }
    greeting.push(subscribe);
    for message in greeting {
        let sending = feed.send(Message::text(message.to_string()));
        if !matches!(timeout(CONNECT, sending).await, Ok(Ok(()))) {
            return End::Unheard;
        }
    }
    let (mut quiet, mut end) = (false, End::Unheard);
    loop {
        match timeout(QUIET, feed.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => {
                quiet = false;
                match apply(state, id, &text) {
                    Applied::Nothing => {}
                    Applied::Changed => {
                        end = End::Lost;
                        changed(state);
                    }
                    Applied::Gap => return end,
                }
                if state.ended() {
                    // A courtesy; the server notices the closed socket anyway.
                    let _ = timeout(CONNECT, feed.close(None)).await;
                    return End::Ended;
                }
            }
            Ok(Some(Ok(_))) => quiet = false,
            Ok(Some(Err(_)) | None) => return end,
            Err(_) if quiet => return end,
            Err(_) => {
                quiet = true;
                let ping = feed.send(Message::Ping(Vec::new().into()));
                if !matches!(timeout(CONNECT, ping).await, Ok(Ok(()))) {
                    return end;
                }
            }
        }
    }
}

enum Applied {
    Nothing,
    Changed,
    /// Something was missed: subscribe again.
    Gap,
}

fn apply(state: &mut State, id: &str, text: &str) -> Applied {
    match serde_json::from_str(text) {
        Ok(Heard::Snapshot { video_id, seq, upload_status }) if video_id == id => {
            state.snapshot(seq, &upload_status);
            Applied::Changed
        }
        Ok(Heard::Event { video_id, seq, name, data }) if video_id == id => {
            match state.seq.map(|seen| seq.cmp(&(seen + 1))) {
                Some(std::cmp::Ordering::Less) => return Applied::Nothing,
                Some(std::cmp::Ordering::Greater) => return Applied::Gap,
                Some(std::cmp::Ordering::Equal) | None => state.event(seq, &name, &data),
            }
            Applied::Changed
        }
        Ok(Heard::Progress { video_id, facts }) if video_id == id => {
            state.progress(&facts);
            Applied::Changed
        }
        Ok(Heard::Reset) => {
            state.seq = None;
            Applied::Gap
        }
        _ => Applied::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::{Applied, State, apply};

    fn heard(state: &mut State, seq: u64, name: &str) -> Applied {
        let text = format!(
            r#"{{"type":"event","video_id":"v","seq":{seq},"at":"-","name":"{name}","data":{{}}}}"#
        );
        apply(state, "v", &text)
    }

    #[test]
    fn an_event_counts_once_and_in_order() {
        let mut state = State::new();
        assert!(matches!(heard(&mut state, 1, "uploaded"), Applied::Changed));
        assert!(matches!(heard(&mut state, 1, "failed"), Applied::Nothing));
        assert!(matches!(heard(&mut state, 3, "completed"), Applied::Gap));
        assert_eq!((state.seq, state.status.as_str()), (Some(1), "uploaded"));
    }

    #[test]
    fn a_reset_forgets_the_number_and_another_video_is_none_of_ours() {
        let mut state = State::new();
        heard(&mut state, 1, "uploaded");
        assert!(matches!(apply(&mut state, "v", r#"{"type":"reset"}"#), Applied::Gap));
        assert_eq!(state.seq, None);
        assert!(matches!(apply(&mut state, "other", r#"{"type":"news"}"#), Applied::Nothing));
        let elsewhere = r#"{"type":"snapshot","video_id":"v","seq":9,"upload_status":"failed"}"#;
        assert!(matches!(apply(&mut state, "other", elsewhere), Applied::Nothing));
    }

    #[test]
    fn progress_is_kept_for_the_bar() {
        let mut state = State::new();
        let text = r#"{"type":"progress","video_id":"v","percent":41.5,"rungs":{"480p":80}}"#;
        assert!(matches!(apply(&mut state, "v", text), Applied::Changed));
        assert_eq!(state.percent, 41.5);
        assert_eq!(state.rungs["480p"], 80.0);
    }
}
