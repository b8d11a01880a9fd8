//! A queue whose messages arrive when the scheduler says so, if at all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use reelpin_schema::queue::{Message, Publish};

use crate::gate::{Actor, Effect, Gates, Verdict};

/// Messages under way; more are lost.
const MOST: usize = 64;

/// Messages under way.
#[derive(Default)]
pub struct QueueNet {
    messages: Mutex<Vec<Message>>,
}

impl QueueNet {
    fn messages(&self) -> MutexGuard<'_, Vec<Message>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.messages().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.messages().is_empty()
    }

    /// Takes one out.
    pub fn take(&self, nth: usize) -> Option<Message> {
        let mut messages = self.messages();
        (nth < messages.len()).then(|| messages.remove(nth))
    }

    /// One that stays under way.
    pub fn copy(&self, nth: usize) -> Option<Message> {
        self.messages().get(nth).cloned()
    }
}

/// The way into the queue of one actor.
pub struct Publisher {
    net: Arc<QueueNet>,
    gates: Gates,
    actor: Actor,
}

impl Publisher {
    /// For an actor.
    pub fn new(net: Arc<QueueNet>, gates: Gates, actor: Actor) -> Self {
        Self { net, gates, actor }
    }
}

#[async_trait]
impl Publish for Publisher {
    async fn publish(&self, message: Message) -> bool {
        if self.gates.wait(self.actor, Effect::Publish).await == Verdict::Fail {
            // Lost without a word, as a broker may lose it.
            return true;
        }
        let mut messages = self.net.messages();
        if messages.len() < MOST {
            messages.push(message);
        }
        true
    }
}
