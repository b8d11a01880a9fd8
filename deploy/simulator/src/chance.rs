//! Time and chance of one actor.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use reelpin_schema::ambient::{Ambient, Chance, Clock};

use crate::gate::{Actor, Effect, Gates};

struct Own {
    gates: Gates,
    actor: Actor,
    rng: Mutex<StdRng>,
}

/// An actor's: the world's clock, and bytes by the seed.
pub fn ambient(gates: &Gates, actor: Actor, seed: u64) -> Ambient {
    let own = Arc::new(Own {
        gates: gates.clone(),
        actor,
        rng: Mutex::new(StdRng::seed_from_u64(seed ^ (actor as u64) << 40)),
    });
    Ambient::new(Arc::clone(&own) as _, own as _)
}

#[async_trait]
impl Clock for Own {
    fn now(&self) -> Duration {
        self.gates.clock()
    }

    async fn sleep(&self, time: Duration) {
        let until = self.gates.clock() + time;
        self.gates.wait(self.actor, Effect::Sleep(until)).await;
    }
}

impl Chance for Own {
    fn bytes(&self) -> [u8; 16] {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).random()
    }
}
