//! Hints for one worker, each taken from the subscription when the worker asks for it and
//! acknowledged at once. Dropped, the consumer is closed, and what it held goes to others.

use ::pulsar::{Consumer, TokioExecutor};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use super::line::Line;
use super::outage::Outage;
use super::{Config, PulsarError, TaskHint};
use crate::queue::{Heard, message};

struct Worker {
    config: Config,
    outage: Outage,
    consumer: Option<Consumer<Vec<u8>, TokioExecutor>>,
    /// Whether it has ever listened.
    known: bool,
}

/// Hints without an end; [`Heard::Missed`] after each gap.
pub(super) fn hints(config: Config) -> BoxStream<'static, Heard<TaskHint>> {
    let outage = Outage::new("hints of work");
    let worker = Worker { config, outage, consumer: None, known: false };
    // It keeps its half-done step when nobody waits for the next hint any more.
    stream::unfold(worker, async |mut worker| Some((worker.next().await, worker))).boxed()
}

impl Worker {
    async fn next(&mut self) -> Heard<TaskHint> {
        loop {
            match self.step().await {
                Ok(Some(heard)) => return heard,
                Ok(None) => {}
                Err(why) => {
                    self.consumer = None;
                    self.outage.pause(&why).await;
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Option<Heard<TaskHint>>, PulsarError> {
        let Some(consumer) = &mut self.consumer else {
            self.consumer = Some(Line::open(&self.config, Line::worker).await?);
            self.outage.over();
            // Nothing was missed at first: the subscription is older than what it holds.
            return Ok(std::mem::replace(&mut self.known, true).then_some(Heard::Missed));
        };
        let client = |error| PulsarError::of(error, &self.config);
        let message = consumer.next().await.ok_or(PulsarError::Ended)?.map_err(client)?;
        let acknowledged = consumer.ack(&message).await;
        acknowledged.map_err(|e| client(e.into()))?;
        match message::read_task(&message.payload.data) {
            Ok(heard) => Ok(Some(heard)),
            Err(why) => {
                tracing::warn!("a message on {} is not for us: {why}", super::TASKS);
                Ok(None)
            }
        }
    }
}
