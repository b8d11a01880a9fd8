//! What hears the status updates for a process.

use std::convert::Infallible;

use futures_util::StreamExt as _;
use tokio::sync::broadcast;

use super::line::Line;
use super::outage::Outage;
use super::{Config, PulsarError, STATUS, StatusHint};
use crate::queue::{Heard, message};

/// Runs until it is aborted. Whoever listens gets [`Heard::Missed`] whenever it begins to hear, the
/// first time included: what was said before is not repeated.
pub(super) async fn run(config: Config, to: broadcast::Sender<Heard<StatusHint>>) {
    let mut outage = Outage::new("status updates");
    loop {
        let Err(why) = hear(&config, &to, &mut outage).await;
        outage.pause(&why).await;
    }
}

async fn hear(
    config: &Config,
    to: &broadcast::Sender<Heard<StatusHint>>,
    outage: &mut Outage,
) -> Result<Infallible, PulsarError> {
    let mut reader = Line::open(config, async |line| line.reader(STATUS).await).await?;
    outage.over();
    // Nobody listening is no error, here and below.
    let _ = to.send(Heard::Missed);
    loop {
        let said = reader.next().await.ok_or(PulsarError::Ended)?;
        let said = said.map_err(|e| PulsarError::of(e, config))?;
        match message::read_status(&said.payload.data) {
            Ok(heard) => drop(to.send(heard)),
            Err(why) => tracing::warn!("a message on {STATUS} is not for us: {why}"),
        }
    }
}
