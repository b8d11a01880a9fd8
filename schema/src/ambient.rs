//! Time and chance, given to the steps of every process, so that a scheduler can decide both.
//!
//! No row depends on this clock: what the database stores is compared with the database's own.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rand::RngCore as _;
use rustix::time::{ClockId, clock_gettime};
use uuid::Uuid;

/// A process's own time, which only goes forward.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time since an origin of its own. It also counts while the machine sleeps.
    fn now(&self) -> Duration;

    /// Returns once so much time has passed. Safe to drop half-way.
    async fn sleep(&self, time: Duration);
}

/// A source of bytes that nobody can guess.
pub trait Chance: Send + Sync {
    /// 16 of them.
    fn bytes(&self) -> [u8; 16];
}

/// A process's time and chance. Clones share them.
#[derive(Clone)]
pub struct Ambient {
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
}

impl Ambient {
    /// The machine's own.
    pub fn system() -> Self {
        Self::new(Arc::new(Machine), Arc::new(Machine))
    }

    /// Others, for a scheduler that decides both.
    pub fn new(clock: Arc<dyn Clock>, chance: Arc<dyn Chance>) -> Self {
        Self { clock, chance }
    }

    /// The time since an origin of the clock's own.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Waits. Safe to drop half-way.
    pub async fn sleep(&self, time: Duration) {
        self.clock.sleep(time).await;
    }

    /// A random UUID (version 4), such as a lease's token.
    pub fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.chance.bytes()).into_uuid()
    }

    /// A number from 0 up to 1, for jitter.
    pub fn fraction(&self) -> f64 {
        let [a, b, c, d, ..] = self.chance.bytes();
        f64::from(u32::from_le_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
    }

    /// 16 bytes that nobody can guess.
    pub fn bytes(&self) -> [u8; 16] {
        self.chance.bytes()
    }
}

impl fmt::Debug for Ambient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ambient")
    }
}

/// The machine's clock and random numbers.
struct Machine;

#[async_trait]
impl Clock for Machine {
    fn now(&self) -> Duration {
        // Unlike the monotonic clock it goes on in a suspended machine, whose leases expire too.
        let time = clock_gettime(ClockId::Boottime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl Chance for Machine {
    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        rand::rng().fill_bytes(&mut bytes);
        bytes
    }
}
