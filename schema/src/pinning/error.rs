//! What can go wrong between us and a pinning service, and who can do something about it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;

use crate::cid::Cid;

/// The longest pause that a service may ask for; one that wants more is asked again in vain.
const PAUSE: Duration = Duration::from_secs(3600);

/// The longest of a service's words that are kept, characters.
const WORDS: usize = 300;

/// Who can do something about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Whoever runs Reelpin: a setting is wrong. Trying again changes nothing.
    Settings,
    /// Time: the service is away, or wants to be left alone for so long, if it says how long.
    Later(Option<Duration>),
    /// The service, or its account. Another attempt may go better.
    Service,
}

/// Why a call to a service did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The settings name something that cannot be used.
    #[error("pinning service {service}: {what}")]
    Settings {
        /// Which service.
        service: Arc<str>,
        /// What is wrong.
        what: &'static str,
    },
    /// Nobody answers there, or the connection broke. Whether the service did it is unknown.
    #[error("pinning service {service} cannot be reached")]
    Unreachable {
        /// Which service.
        service: Arc<str>,
        /// Without the address, which the settings tell.
        #[source]
        source: reqwest::Error,
    },
    /// No whole answer within the limit. Whether the service did it is unknown.
    #[error("pinning service {service} took longer than {limit:?}")]
    TimedOut {
        /// Which service.
        service: Arc<str>,
        /// The limit that ran out.
        limit: Duration,
    },
    /// It wants another token.
    #[error("the token of pinning service {service} is refused ({status}){}", after(.said))]
    Forbidden {
        /// Which service.
        service: Arc<str>,
        /// HTTP status: 401 or 403.
        status: u16,
        /// Its own words.
        said: String,
    },
    /// It knows no such request.
    #[error("pinning service {service} knows no such request (404); is its endpoint right?")]
    Missing {
        /// Which service.
        service: Arc<str>,
    },
    /// The account's means do not suffice (409, `INSUFFICIENT_FUNDS`).
    #[error("pinning service {service} refuses for lack of funds or room (409){}", after(.said))]
    Funds {
        /// Which service.
        service: Arc<str>,
        /// Its own words.
        said: String,
    },
    /// It wants to be left alone for a while.
    #[error("pinning service {service} is busy ({status}){}", after(.said))]
    Busy {
        /// Which service.
        service: Arc<str>,
        /// HTTP status: 429 or 503.
        status: u16,
        /// How long, by its `Retry-After`; at most an hour.
        wait: Option<Duration>,
        /// Its own words.
        said: String,
    },
    /// It sends us elsewhere, which we do not follow with its token.
    #[error(
        "pinning service {service} points elsewhere ({status}): set its endpoint to that address"
    )]
    Elsewhere {
        /// Which service.
        service: Arc<str>,
        /// HTTP status.
        status: u16,
    },
    /// It refuses.
    #[error("pinning service {service} refuses ({status}){}", after(.said))]
    Refused {
        /// Which service.
        service: Arc<str>,
        /// HTTP status.
        status: u16,
        /// Its own words.
        said: String,
    },
    /// It is in trouble (5xx).
    #[error("pinning service {service} is in trouble ({status}){}", after(.said))]
    Trouble {
        /// Which service.
        service: Arc<str>,
        /// HTTP status.
        status: u16,
        /// Its own words.
        said: String,
    },
    /// An answer that is not the specification's.
    #[error("the answer of pinning service {service} to {call} is not understood")]
    Misunderstood {
        /// Which service.
        service: Arc<str>,
        /// Which call.
        call: &'static str,
        /// What is wrong with its JSON.
        #[source]
        source: serde_json::Error,
    },
    /// An answer of a length that nobody needs.
    #[error("an answer of pinning service {service} is longer than {limit} bytes")]
    TooLong {
        /// Which service.
        service: Arc<str>,
        /// Bytes.
        limit: usize,
    },
    /// It took a request for another content.
    #[error("pinning service {service} took a request for {got} where {want} was due")]
    OtherContent {
        /// Which service.
        service: Arc<str>,
        /// What it was asked to keep.
        want: Cid,
        /// What it says.
        got: String,
    },
    /// It gave a request up.
    #[error("pinning service {service} could not pin it{}", after(.said))]
    Failed {
        /// Which service.
        service: Arc<str>,
        /// Its own words.
        said: String,
    },
    /// The settings name no such service any more.
    #[error("REELPIN_PIN_SERVICES names no service {service} any more")]
    Unknown {
        /// Which service.
        service: Arc<str>,
    },
}

impl ServiceError {
    /// Who can do something about it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Settings { .. }
            | Self::Forbidden { .. }
            | Self::Elsewhere { .. }
            | Self::Unknown { .. } => Fault::Settings,
            Self::Busy { wait, .. } => Fault::Later(*wait),
            Self::Unreachable { .. } | Self::TimedOut { .. } => Fault::Later(None),
            Self::Missing { .. }
            | Self::Funds { .. }
            | Self::Refused { .. }
            | Self::Trouble { .. }
            | Self::Misunderstood { .. }
            | Self::TooLong { .. }
            | Self::OtherContent { .. }
            | Self::Failed { .. } => Fault::Service,
        }
    }

    /// An answer that is no success.
    pub(super) fn answered(
        service: Arc<str>,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Self {
        let said = words(body);
        match status {
            300..=399 => Self::Elsewhere { service, status },
            401 | 403 => Self::Forbidden { service, status, said },
            404 => Self::Missing { service },
            409 => Self::Funds { service, said },
            429 | 503 => Self::Busy { service, status, wait: retry_after(headers), said },
            // Of a proxy before it: it is away.
            502 | 504 => Self::Busy { service, status, wait: None, said },
            500.. => Self::Trouble { service, status, said },
            _ => Self::Refused { service, status, said },
        }
    }
}

/// `{"error": {"reason": "...", "details": "..."}}` of the specification (`Failure`). What is not so is
/// a proxy's page, of which nobody reads more than the status.
fn words(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Failure {
        error: Reason,
    }
    #[derive(Deserialize)]
    struct Reason {
        reason: String,
        #[serde(default)]
        details: Option<String>,
    }
    match serde_json::from_slice::<Failure>(body) {
        Ok(Failure { error: Reason { reason, details: Some(details) } }) => {
            bounded(&format!("{reason}: {details}"))
        }
        Ok(Failure { error: Reason { reason, details: None } }) => bounded(&reason),
        Err(_) => String::new(),
    }
}

/// Words of others as they go into rows and logs: on one line, and not too many.
pub(super) fn bounded(words: &str) -> String {
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS).collect()
}

fn after(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

/// Seconds; the other form, a date, is as if nothing was said.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(PAUSE))
}
