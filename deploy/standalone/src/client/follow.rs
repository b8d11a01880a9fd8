//! Follows one video until it ends: by the feed, again and again from the last number, and by asking
//! for the progress whenever the feed is not there.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{
    api::{Api, pause},
    error::{ClientError, Problem},
    listen::{End, listen},
};

/// A server that answers nothing for this long is given up; a restart takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a completed video's pins are waited for, before they are shown as they stand.
const PINS: Duration = Duration::from_secs(30);
const PINS_POLL: Duration = Duration::from_millis(300);

/// What is known of the video so far.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// The last event that was taken; `None` after a reset: begin at the present.
    pub(super) seq: Option<u64>,
    pub(super) status: String,
    /// Of the whole transcode, 0 to 100.
    pub(super) percent: f64,
    /// The same for each rung.
    pub(super) rungs: BTreeMap<String, f64>,
    error: Option<Problem>,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            seq: Some(0),
            status: "uploaded".into(),
            percent: 0.0,
            rungs: BTreeMap::new(),
            error: None,
        }
    }

    pub(super) fn ended(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "failed" | "cancelled" | "deleted")
    }

    /// With a `since` the events behind the snapshot follow, and they tell more than it does.
    pub(super) fn snapshot(&mut self, seq: u64, status: &str) {
        if self.seq.is_none() {
            self.seq = Some(seq);
            self.set(status);
        }
    }

    pub(super) fn event(&mut self, seq: u64, name: &str, data: &Value) {
        self.seq = Some(seq);
        match name {
            "probed" | "retried" => self.set("processing"),
            "planned" => {
                for rung in data["rungs"].as_array().into_iter().flatten().filter_map(Value::as_str)
                {
                    self.rungs.entry(rung.into()).or_insert(0.0);
                }
            }
            "rung_completed" => {
                if let Some(rung) = data["resolution"].as_str() {
                    self.rungs.insert(rung.into(), 100.0);
                }
            }
            "failed" => {
                self.error = Some(Problem::from_value(data));
                self.set("failed");
            }
            "uploaded" | "playable" | "completed" | "cancelled" | "deleted" => self.set(name),
            _ => {}
        }
    }

    pub(super) fn progress(&mut self, facts: &Value) {
        if let Some(percent) = facts["percent"].as_f64() {
            self.percent = percent.clamp(0.0, 100.0);
        }
        for (rung, percent) in facts["rungs"].as_object().into_iter().flatten() {
            self.rungs.insert(rung.clone(), percent.as_f64().unwrap_or(0.0));
        }
    }

    fn set(&mut self, status: &str) {
        self.status = status.into();
        if status == "completed" {
            self.percent = 100.0;
        }
    }

    fn polled(&mut self, answer: &Value) {
        self.progress(answer);
        if let Some(status) = answer["upload_status"].as_str() {
            self.set(status);
        }
        self.error = Some(&answer["error"]).filter(|e| !e.is_null()).map(Problem::from_value);
    }
}

/// Stays until the video has ended; `changed` hears every step.
/// Returns the completed video's record, its pins settled or [`PINS`] gone by.
pub(super) async fn follow(
    api: &Api,
    id: &str,
    changed: &mut impl FnMut(&State),
) -> Result<Value, ClientError> {
    let mut state = State::new();
    let (mut heard_at, mut silent) = (Instant::now(), 0);
    while !state.ended() {
        match listen(api, id, &mut state, changed).await {
            End::Ended => break,
            End::Lost => (heard_at, silent) = (Instant::now(), 0),
            End::Unheard => silent += 1,
        }
        match api.progress(id).await {
            Ok(answer) => {
                heard_at = Instant::now();
                state.polled(&answer);
                changed(&state);
            }
            Err(ClientError::Refused { status: 404 | 410, .. }) => state.set("deleted"),
            Err(error @ ClientError::Refused { status: ..=428 | 430..=499, .. }) => {
                return Err(error);
            }
            Err(error) if heard_at.elapsed() > PATIENCE => return Err(error),
            Err(_) => silent = silent.max(1),
        }
        if !state.ended() {
            sleep(pause(silent.min(3))).await; // 1.6 s at most: this is the polling, too
        }
    }
    match state.status.as_str() {
        "completed" => completed(api, id).await,
        "failed" => {
            let error = match state.error {
                Some(error) => error,
                None => Problem::from_value(&api.record(id).await?["error"]),
            };
            Err(ClientError::Failed(error))
        }
        gone => Err(ClientError::Gone(gone.into())),
    }
}

async fn completed(api: &Api, id: &str) -> Result<Value, ClientError> {
    let until = Instant::now() + PINS;
    loop {
        let record = api.record(id).await?;
        let settled = record["pins"].as_array().is_none_or(|pins| {
            pins.iter().all(|pin| matches!(pin["state"].as_str(), Some("pinned" | "failed")))
        });
        if settled || Instant::now() > until {
            return Ok(record);
        }
        sleep(PINS_POLL).await;
    }
}
