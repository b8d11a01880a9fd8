//! Why Pulsar does not do what it should, by whose fault it is.

use std::path::PathBuf;

use ::pulsar::error::{
    AuthenticationError, ConnectionError, ConsumerError, Error, ProducerError,
    ServiceDiscoveryError,
};
use ::pulsar::message::proto::ServerError;

/// Why the queue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PulsarError {
    /// The file of certificates: the operator's.
    #[error("cannot read the certificates in {}: {source}", path.display())]
    Ca {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The broker does not let us in: the operator's.
    #[error(
        "the broker does not let us in, so REELPIN_PULSAR_TOKEN is missing, wrong or may too little: {0}"
    )]
    Refused(String),
    /// TLS does not come about: the operator's.
    #[error("no TLS with the broker; REELPIN_PULSAR_CA names a file of certificates to trust: {0}")]
    Tls(String),
    /// Tenant or namespace do not exist: the operator's.
    #[error(
        "there is no namespace {namespace} at the broker; make it, or set REELPIN_PULSAR_NAMESPACE: {why}"
    )]
    Namespace {
        /// Which.
        namespace: String,
        /// The broker's words.
        why: String,
    },
    /// Nobody answers, or not to the end.
    #[error("no broker answers at {url}: {why}")]
    Away {
        /// Where it should be.
        url: String,
        /// Why.
        why: String,
    },
    /// It answers too slowly.
    #[error("{what} took longer than {} s", limit.as_secs())]
    Slow {
        /// What did.
        what: &'static str,
        /// The limit.
        limit: std::time::Duration,
    },
    /// The stream of messages ended, as it does when the connection is lost.
    #[error("the connection was lost")]
    Ended,
    /// A message of ours cannot be written.
    #[error("a message cannot be written: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// Anything else that the client says.
    #[error("{0}")]
    Client(Box<Error>),
}

impl PulsarError {
    /// What an error of the client means that comes while it connects: it says no more than "fatal",
    /// but how far it came is known by whether the token was `shown`.
    pub(super) fn connecting(error: Error, config: &super::Config, shown: bool) -> Self {
        match &error {
            Error::Connection(ConnectionError::Io(e)) if e.kind() == std::io::ErrorKind::Other => {
                if shown {
                    Self::Refused("it ended the connection when it saw who we are".to_owned())
                } else if config.url.starts_with("pulsar+ssl:") {
                    Self::Tls(e.to_string())
                } else {
                    Self::of(error, config)
                }
            }
            _ => Self::of(error, config),
        }
    }

    /// What an error of the client means.
    pub(super) fn of(error: Error, config: &super::Config) -> Self {
        let away = |why: String| Self::Away { url: config.url.clone(), why };
        let connection = match &error {
            Error::Authentication(AuthenticationError::Custom(why)) => {
                return Self::Refused(why.clone());
            }
            Error::Connection(e)
            | Error::Consumer(ConsumerError::Connection(e))
            | Error::Producer(ProducerError::Connection(e))
            | Error::ServiceDiscovery(ServiceDiscoveryError::Connection(e)) => e,
            Error::ServiceDiscovery(ServiceDiscoveryError::Query(kind, why)) => {
                let why = why.clone().unwrap_or_default();
                return Self::said(*kind, why, config)
                    .unwrap_or_else(|| Self::Client(Box::new(error)));
            }
            _ => return Self::Client(Box::new(error)),
        };
        match connection {
            ConnectionError::Tls(e) => Self::Tls(e.to_string()),
            ConnectionError::DnsName(e) => Self::Tls(e.to_string()),
            // tokio-rustls hands rustls's errors on as those of reading.
            ConnectionError::Io(e) if e.kind() == std::io::ErrorKind::InvalidData => {
                Self::Tls(e.to_string())
            }
            ConnectionError::PulsarError(kind, why) => {
                let why = why.clone().unwrap_or_default();
                Self::said(*kind, why, config).unwrap_or_else(|| Self::Client(Box::new(error)))
            }
            ConnectionError::Authentication(AuthenticationError::Custom(why)) => {
                Self::Refused(why.clone())
            }
            other => away(other.to_string()),
        }
    }

    fn said(kind: Option<ServerError>, why: String, config: &super::Config) -> Option<Self> {
        match kind? {
            ServerError::AuthenticationError | ServerError::AuthorizationError => {
                Some(Self::Refused(why))
            }
            ServerError::MetadataError | ServerError::TopicNotFound
                if why.to_lowercase().contains("namespace") =>
            {
                Some(Self::Namespace { namespace: config.namespace.clone(), why })
            }
            _ => None,
        }
    }
}
