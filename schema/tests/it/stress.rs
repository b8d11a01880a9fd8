//! What the simulator cannot show, which lets one transaction run at a time: the same statements
//! under true concurrency, on 32 connections. Workers die, come back too late and are swept away by
//! others whose clocks are ahead; owners cancel, retry and delete; and in the end everything rests.

mod check;
mod crew;
mod owner;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reelpin_schema::ambient::Ambient;
use reelpin_schema::db::{Config, Db, Fate, Turns, Tx};
use reelpin_schema::secret::Secret;
use reelpin_schema::video;
use reelpin_testing::postgres;
use time::OffsetDateTime;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::video::ticket;

/// Open at once, each with a transaction under way most of the time.
const CONNECTIONS: usize = 32;

/// Videos at the beginning; owners upload more.
const VIDEOS: usize = 6;

/// Wishes of owners, after which the trouble ends.
const WISHES: i64 = 400;

/// Transactions that may be given up as contended, of some thousands: one was in 9 runs.
const GIVEN_UP: i64 = 10;

/// A database whose clock is ahead, so that leases expire while their holders are at work.
struct Ahead(Duration);

#[async_trait]
impl Turns for Ahead {
    async fn enter(&self, _: &'static str) -> Fate {
        Fate::Run
    }

    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + self.0
    }

    async fn began(&self, _: &Tx) {}

    async fn ending(&self, _: &Tx) {}

    fn left(&self, _: &'static str) {}
}

/// What everybody shares.
#[derive(Clone)]
struct Stage {
    db: Db,
    videos: Arc<Mutex<Vec<Uuid>>>,
    wishes: Arc<AtomicI64>,
    /// Transactions that met 40001 so often that they were given up.
    contended: Arc<AtomicI64>,
}

impl Stage {
    fn is_calm(&self) -> bool {
        self.wishes.load(Ordering::Relaxed) >= WISHES
    }

    fn gave_up(&self) {
        self.contended.fetch_add(1, Ordering::Relaxed);
    }

    fn any_video(&self) -> Uuid {
        let videos = self.videos.lock().unwrap();
        videos[rand::random_range(0..videos.len())]
    }

    async fn upload(&self) {
        let id = ticket(&self.db).await;
        self.db
            .run_tx("stress.uploaded", async move |tx| video::uploaded(tx, id, "\"e\"").await)
            .await
            .unwrap();
        self.videos.lock().unwrap().push(id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_rests_and_nothing_is_lost_with_32_connections() {
    let url = Secret::new(postgres().await.unwrap());
    let db = Db::new(&Config { url, connections: CONNECTIONS }).unwrap();
    let ahead = db.in_turns(Arc::new(Ahead(Duration::from_secs(40))), Ambient::system());
    let stage = Stage {
        db: db.clone(),
        videos: Arc::default(),
        wishes: Arc::default(),
        contended: Arc::default(),
    };
    for _ in 0..VIDEOS {
        stage.upload().await;
    }
    let sweeping = Stage { db: ahead, ..stage.clone() };

    // Each on a thread of its own, so that they are truly side by side.
    fn start<F: Future<Output = ()>>(
        all: &mut JoinSet<()>,
        run: impl FnOnce() -> F + Send + 'static,
    ) {
        let runtime = Handle::current();
        all.spawn_blocking(move || runtime.block_on(run()));
    }
    let mut crew = JoinSet::new();
    for number in 0..22 {
        // Half of them live in the sweepers' time, and take what was swept at once.
        let stage = if number % 2 == 0 { stage.clone() } else { sweeping.clone() };
        start(&mut crew, move || crew::work(stage));
    }
    let mut others = JoinSet::new();
    for _ in 0..3 {
        let stage = sweeping.clone();
        start(&mut others, move || crew::sweep(stage));
    }
    for _ in 0..4 {
        let stage = stage.clone();
        start(&mut others, move || owner::interfere(stage));
    }
    for _ in 0..3 {
        let stage = stage.clone();
        start(&mut others, move || owner::follow(stage));
    }
    while let Some(ended) = others.join_next().await {
        ended.unwrap();
    }
    while let Some(ended) = crew.join_next().await {
        ended.unwrap();
    }
    // Later than every lease, what dead workers held is taken back, and all ends.
    let later = db.in_turns(Arc::new(Ahead(Duration::from_secs(120))), Ambient::system());
    let later = Stage { db: later, ..stage.clone() };
    crew::last_sweep(&later).await;
    crew::work(later).await;
    check::everything_rests(&stage).await;
    let contended = stage.contended.load(Ordering::Relaxed);
    assert!(contended <= GIVEN_UP, "{contended} transactions were given up as contended");
}
