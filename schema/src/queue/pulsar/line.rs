//! A connection that is used until it breaks. The client would mend it by itself and say nothing of
//! the gap, or end a stream without a word; so it is kept from that, and whoever owns the line
//! opens a new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::pulsar::authentication::Authentication;
use ::pulsar::consumer::InitialPosition;
use ::pulsar::error::{AuthenticationError, Error};
use ::pulsar::reader::Reader;
use ::pulsar::{
    ConnectionRetryOptions, Consumer, ConsumerOptions, OperationRetryOptions, Producer,
    ProducerOptions, Pulsar, SubType, TokioExecutor,
};
use async_trait::async_trait;

use super::{Config, PulsarError, TASKS, WORKERS};
use crate::secret::Secret;

/// The longest that a connection, and what is wanted over it, may take to come about.
const OPEN: Duration = Duration::from_secs(10);

/// The longest that one answer of the broker may take.
const ANSWER: Duration = Duration::from_secs(5);

/// How often a silent connection is tried, so that a broker whose machine died is noticed.
const PING: Duration = Duration::from_secs(10);

/// A client with a connection.
pub(super) struct Line {
    client: Pulsar<TokioExecutor>,
    config: Config,
    sealed: Arc<AtomicBool>,
}

impl Line {
    /// Connects, then lets `then` do what must be there before the line can be used; all of it
    /// within [`OPEN`]. What breaks afterwards stays broken.
    pub(super) async fn open<T>(
        config: &Config,
        then: impl AsyncFnOnce(&Self) -> Result<T, PulsarError>,
    ) -> Result<T, PulsarError> {
        let opening = async {
            let line = Self::connect(config).await?;
            let opened = then(&line).await?;
            line.sealed.store(true, Ordering::Relaxed);
            Ok(opened)
        };
        let slow = PulsarError::Slow { what: "connecting to the broker", limit: OPEN };
        tokio::time::timeout(OPEN, opening).await.unwrap_or(Err(slow))
    }

    async fn connect(config: &Config) -> Result<Self, PulsarError> {
        let certificate_chain = match &config.ca {
            None => None,
            Some(path) => {
                let unread = |source| PulsarError::Ca { path: path.clone(), source };
                Some(tokio::fs::read(path).await.map_err(unread)?)
            }
        };
        let sealed = Arc::new(AtomicBool::new(false));
        let shown = Arc::new(AtomicBool::new(false));
        let token = config.token.clone();
        let entry = Entry { token, sealed: sealed.clone(), shown: shown.clone() };
        let mut builder = Pulsar::builder(config.url.clone(), TokioExecutor)
            .with_auth_provider(Box::new(entry))
            .with_connection_retry_options(ConnectionRetryOptions {
                max_retries: 0,
                connection_timeout: ANSWER,
                keep_alive: PING,
                ..ConnectionRetryOptions::default()
            })
            .with_operation_retry_options(OperationRetryOptions {
                operation_timeout: ANSWER,
                max_retries: Some(0),
                ..OperationRetryOptions::default()
            });
        if let Some(chain) = certificate_chain {
            builder = builder.with_certificate_chain(chain);
        }
        let why = |error| PulsarError::connecting(error, config, shown.load(Ordering::Relaxed));
        let client = builder.build().await.map_err(why)?;
        Ok(Self { client, config: config.clone(), sealed })
    }

    fn why(&self, error: Error) -> PulsarError {
        PulsarError::of(error, &self.config)
    }

    /// One who sends to a topic, each message by itself.
    pub(super) async fn producer(
        &self,
        topic: &str,
    ) -> Result<Producer<TokioExecutor>, PulsarError> {
        self.client
            .producer()
            .with_topic(self.config.topic(topic))
            // Else it refuses messages that come faster than they leave.
            .with_options(ProducerOptions { block_queue_if_full: true, ..Default::default() })
            .build()
            .await
            .map_err(|e| self.why(e))
    }

    /// A worker's place in the shared subscription, which this makes where it is not there yet. As
    /// few messages as the client can do with are given to it before it asks: three.
    pub(super) async fn worker(&self) -> Result<Consumer<Vec<u8>, TokioExecutor>, PulsarError> {
        self.client
            .consumer()
            .with_topic(self.config.topic(TASKS))
            .with_subscription(WORKERS)
            .with_subscription_type(SubType::Shared)
            .with_batch_size(1)
            .with_options(
                ConsumerOptions::default()
                    .durable(true)
                    .with_receiver_queue_size(1)
                    .with_initial_position(InitialPosition::Earliest),
            )
            .build()
            .await
            .map_err(|e| self.why(e))
    }

    /// One who hears everything that is said on a topic from now on.
    pub(super) async fn reader(
        &self,
        topic: &str,
    ) -> Result<Reader<Vec<u8>, TokioExecutor>, PulsarError> {
        self.client
            .reader()
            .with_topic(self.config.topic(topic))
            .into_reader()
            .await
            .map_err(|e| self.why(e))
    }

    /// Makes the workers' subscription, so that nothing published from now on goes past it.
    pub(super) async fn prepare(&self) -> Result<(), PulsarError> {
        self.worker().await?.close().await.map_err(|e| self.why(e))
    }
}

/// Shows the token when a connection is made, and lets none be made for a line in use: that is what
/// keeps the client from reconnecting.
struct Entry {
    token: Option<Secret>,
    sealed: Arc<AtomicBool>,
    /// Whether it came so far as to be asked for the token.
    shown: Arc<AtomicBool>,
}

#[async_trait]
impl Authentication for Entry {
    fn auth_method_name(&self) -> String {
        if self.token.is_some() { "token" } else { "none" }.to_owned()
    }

    async fn initialize(&mut self) -> Result<(), AuthenticationError> {
        Ok(())
    }

    async fn auth_data(&mut self) -> Result<Vec<u8>, AuthenticationError> {
        if self.sealed.load(Ordering::Relaxed) {
            return Err(AuthenticationError::Custom("the connection was lost".to_owned()));
        }
        self.shown.store(true, Ordering::Relaxed);
        let token = self.token.as_ref().map(|token| token.expose().as_bytes().to_vec());
        Ok(token.unwrap_or_default())
    }
}
