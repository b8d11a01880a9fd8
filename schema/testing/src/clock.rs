//! A clock that a test sets, for the database and for processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use reelpin_schema::ambient::{Ambient, Chance, Clock};
use reelpin_schema::db::{Db, Fate, Turns, Tx};
use time::OffsetDateTime;

/// How far ahead of the real time it is. Clones share it.
#[derive(Clone, Default)]
pub struct Ahead(Arc<AtomicI64>);

impl Ahead {
    /// Lets time pass.
    pub fn pass(&self, time: time::Duration) {
        self.0
            .fetch_add(time.whole_milliseconds().try_into().unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// A process that lives in this time.
    pub fn ambient(&self) -> Ambient {
        Ambient::new(Arc::new(self.clone()), Arc::new(self.clone()))
    }

    /// A database whose transactions begin in this time.
    pub fn database(&self, db: &Db) -> Db {
        db.in_turns(Arc::new(self.clone()), self.ambient())
    }

    fn ahead(&self) -> time::Duration {
        time::Duration::milliseconds(self.0.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl Turns for Ahead {
    async fn enter(&self, _: &'static str) -> Fate {
        Fate::Run
    }

    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + self.ahead()
    }

    async fn began(&self, _: &Tx) {}

    async fn ending(&self, _: &Tx) {}

    fn left(&self, _: &'static str) {}
}

#[async_trait]
impl Clock for Ahead {
    fn now(&self) -> Duration {
        Ambient::system().now() + self.ahead().unsigned_abs()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl Chance for Ahead {
    fn bytes(&self) -> [u8; 16] {
        Ambient::system().bytes()
    }
}
