//! Trying a queue out, for whoever sets it up.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::Instant;

use super::line::Line;
use super::{Config, PulsarError, TASKS, WORKERS};
use crate::ambient::Ambient;

/// Topic of the message that is published and heard: nobody else listens to it.
const CHECK: &str = "reelpin-check";

/// The longest that a message may take to the broker and back.
const ROUND: Duration = Duration::from_secs(5);

/// Connects, makes the workers' topic and subscription, publishes a message and hears it. Returns a
/// sentence on what works; ends within 15 s.
///
/// # Errors
/// [`PulsarError`], which says what to do.
pub async fn check(config: &Config, ambient: &Ambient) -> Result<String, PulsarError> {
    crate::tls::provider();
    let (mut reader, mut producer) = Line::open(config, async |line| {
        line.prepare().await?;
        Ok((line.reader(CHECK).await?, line.producer(CHECK).await?))
    })
    .await?;
    let words = ambient.uuid().to_string().into_bytes();
    let began = Instant::now();
    let round = async {
        let client = |error| PulsarError::of(error, config);
        producer.send_non_blocking(words.clone()).await.map_err(client)?.await.map_err(client)?;
        loop {
            let said = reader.next().await.ok_or(PulsarError::Ended)?.map_err(client)?;
            // Others may be checking, too.
            if said.payload.data == words {
                return Ok(began.elapsed());
            }
        }
    };
    let slow = PulsarError::Slow { what: "a message to the broker and back", limit: ROUND };
    let took = tokio::time::timeout(ROUND, round).await.unwrap_or(Err(slow))?;
    Ok(format!(
        "the queue works: {TASKS} has its subscription {WORKERS} in {}, and a message came back in {} ms",
        config.namespace,
        took.as_millis()
    ))
}
