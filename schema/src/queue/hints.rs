//! Listening to hints.

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// What a reader of hints gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard<T> {
    /// A hint.
    Hint(T),
    /// Some may have been missed: look at the database.
    Missed,
    /// The queue is gone.
    Closed,
}

/// A reader of hints.
pub struct Hints<T>(From<T>);

enum From<T> {
    /// Everyone in this process hears the same.
    Shared(Receiver<Heard<T>>),
    /// Nothing is taken before it is asked for.
    OnDemand(BoxStream<'static, Heard<T>>),
}

impl<T: Clone> Hints<T> {
    pub(super) fn shared(from: Receiver<Heard<T>>) -> Self {
        Self(From::Shared(from))
    }

    pub(super) fn on_demand(from: BoxStream<'static, Heard<T>>) -> Self {
        Self(From::OnDemand(from))
    }

    /// Waits for the next hint. Safe to drop half-way.
    pub async fn next(&mut self) -> Heard<T> {
        match &mut self.0 {
            From::Shared(from) => match from.recv().await {
                Ok(heard) => heard,
                Err(RecvError::Lagged(_)) => Heard::Missed,
                Err(RecvError::Closed) => Heard::Closed,
            },
            From::OnDemand(from) => from.next().await.unwrap_or(Heard::Closed),
        }
    }
}
