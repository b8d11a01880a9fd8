//! Unpinning: whose content may be let go of, when, and who waits for whom.

use reelpin_schema::db::{Db, DbError};
use reelpin_schema::pin::{self, NewPin, Pin, Role, State};
use reelpin_schema::unpin::{self, LATE_PIN, LOOSE, Unpin};
use reelpin_schema::video;
use reelpin_testing::{Ahead, database};
use time::Duration;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::video::ticket;

/// Longer than any call whose answer was lost can be under way.
const ARRIVED: Duration = Duration::minutes(5);

struct Stage {
    db: Db,
    clock: Ahead,
}

impl Stage {
    async fn new() -> Self {
        let clock = Ahead::default();
        Self { db: clock.database(&database().await.unwrap()), clock }
    }

    /// A video with a pin of this content.
    async fn pinned(&self, cid: &str) -> Uuid {
        let (id, new) = (ticket(&self.db).await, NewPin::at_node(Role::Published, cid.to_owned()));
        self.db
            .run_tx("test.pin", async move |tx| {
                pin::insert(tx, id, &new).await?;
                let made = pin::of_video(tx, id).await?.remove(0);
                pin::set_state(tx, id, &made, State::Pinned).await
            })
            .await
            .unwrap();
        id
    }

    async fn delete(&self, id: Uuid) {
        self.db.run_tx("test.delete", async move |tx| video::delete(tx, id).await).await.unwrap();
    }

    /// What a janitor takes, and the name of its call.
    async fn take(&self) -> (Uuid, Vec<String>) {
        let call = Uuid::new_v4();
        let taken = self
            .db
            .run_tx("test.take", async move |tx| {
                unpin::take(tx, call, &[pin::NODE.to_owned()], 10).await
            })
            .await;
        (call, taken.unwrap().into_iter().map(|unpin| unpin.cid).collect())
    }

    async fn released(&self, cid: &str, call: Uuid) -> bool {
        let unpin = Unpin { target: pin::NODE.to_owned(), cid: cid.to_owned() };
        self.db
            .run_tx("test.released", async move |tx| unpin::released(tx, &unpin, call).await)
            .await
            .unwrap()
    }

    async fn is_releasing(&self, cid: &'static str) -> bool {
        self.db
            .run_tx("test.releasing", async move |tx| unpin::is_releasing(tx, pin::NODE, cid).await)
            .await
            .unwrap()
    }

    /// Every row: content and state.
    async fn rows(&self) -> Vec<(String, String)> {
        self.db
            .run_tx("test.rows", async move |tx| {
                let rows = tx.all("SELECT cid, state FROM unpins ORDER BY cid", &[]).await?;
                Ok::<_, DbError>(rows.iter().map(|r| (r.get("cid"), r.get("state"))).collect())
            })
            .await
            .unwrap()
    }

    async fn pin_of(&self, id: Uuid) -> Pin {
        let pins = self.db.run_tx("test.pins", async move |tx| pin::of_video(tx, id).await).await;
        pins.unwrap().remove(0)
    }

    async fn supersede(&self, id: Uuid, cid: &str) -> bool {
        let new = NewPin::at_node(Role::Published, cid.to_owned());
        self.db
            .run_tx("test.supersede", async move |tx| pin::supersede(tx, id, &new).await)
            .await
            .unwrap()
    }

    async fn record(&self, id: Uuid, pin: Pin) -> Result<(), DbError> {
        self.db.run_tx("test.pinned", async move |tx| pin::pinned(tx, id, &pin).await).await
    }
}

fn row(cid: &str, state: &str) -> (String, String) {
    (cid.to_owned(), state.to_owned())
}

#[tokio::test]
async fn content_is_let_go_at_once_and_once_more_when_no_pin_can_arrive_any_more() {
    let stage = Stage::new().await;
    let id = stage.pinned("a").await;
    stage.delete(id).await;
    let (call, taken) = stage.take().await;
    assert_eq!(taken, ["a"]);
    assert!(stage.is_releasing("a").await);
    assert!(stage.released("a", call).await);
    assert_eq!(stage.rows().await, [row("a", "waiting")]);
    assert!(!stage.is_releasing("a").await);

    stage.clock.pass(Duration::try_from(LATE_PIN).unwrap() - Duration::seconds(10));
    assert!(stage.take().await.1.is_empty());
    stage.clock.pass(Duration::seconds(20));
    let (call, taken) = stage.take().await;
    assert_eq!(taken, ["a"]);
    assert!(stage.released("a", call).await);
    assert!(stage.rows().await.is_empty());
}

#[tokio::test]
async fn what_another_video_needs_is_kept() {
    let stage = Stage::new().await;
    let (one, other) = (stage.pinned("a").await, stage.pinned("a").await);
    stage.delete(one).await;
    assert_eq!(stage.rows().await, [row("a", "waiting")]);
    assert!(stage.take().await.1.is_empty());
    assert!(stage.rows().await.is_empty());
    stage.delete(other).await;
    assert_eq!(stage.take().await.1, ["a"]);
}

#[tokio::test]
async fn a_new_pin_waits_until_no_call_can_arrive_and_is_kept_then() {
    let stage = Stage::new().await;
    stage.delete(stage.pinned("a").await).await;
    // Its answer is lost.
    assert_eq!(stage.take().await.1, ["a"]);
    stage.pinned("a").await;
    assert!(stage.is_releasing("a").await);
    assert!(stage.take().await.1.is_empty());
    assert!(stage.is_releasing("a").await, "a call may still be under way");
    stage.clock.pass(ARRIVED);
    assert!(stage.take().await.1.is_empty());
    assert!(stage.rows().await.is_empty());
}

#[tokio::test]
async fn a_janitor_that_comes_back_too_late_ends_nothing() {
    let stage = Stage::new().await;
    stage.delete(stage.pinned("a").await).await;
    let (late, _) = stage.take().await;
    stage.clock.pass(ARRIVED);
    let (next, taken) = stage.take().await;
    assert_eq!(taken, ["a"]);
    assert!(!stage.released("a", late).await);
    assert_eq!(stage.rows().await, [row("a", "releasing")]);
    assert!(stage.released("a", next).await);
    assert!(stage.rows().await.is_empty());
}

#[tokio::test]
async fn a_take_whose_answer_was_lost_finds_its_own() {
    let stage = Stage::new().await;
    stage.delete(stage.pinned("a").await).await;
    let call = Uuid::new_v4();
    let take = async || {
        let taken = stage
            .db
            .run_tx("test", async move |tx| {
                unpin::take(tx, call, &[pin::NODE.to_owned()], 10).await
            })
            .await;
        taken.unwrap().len()
    };
    assert_eq!((take().await, take().await), (1, 1));
    assert!(stage.take().await.1.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_begins_and_a_janitor_that_takes_never_both_go_on() {
    let stage = Stage::new().await;
    let (mut pinned, mut taken) = (0, 0);
    for _ in 0..40 {
        stage.delete(stage.pinned("a").await).await;
        let (id, new) = (ticket(&stage.db).await, NewPin::at_node(Role::Published, "a".to_owned()));
        let mut both = JoinSet::new();
        let db = stage.db.clone();
        both.spawn(async move {
            // As packaging and then a pin's task would.
            db.run_tx("test.package", async move |tx| pin::insert(tx, id, &new).await)
                .await
                .unwrap();
            let clear = db
                .run_tx("test.begin", async move |tx| {
                    let made = pin::of_video(tx, id).await?.remove(0);
                    pin::set_state(tx, id, &made, State::Pinning).await?;
                    Ok::<_, DbError>(!unpin::is_releasing(tx, pin::NODE, "a").await?)
                })
                .await;
            clear.unwrap()
        });
        let (db, call) = (stage.db.clone(), Uuid::new_v4());
        both.spawn(async move {
            let taken = db.run_tx("test.take", async move |tx| {
                unpin::take(tx, call, &[pin::NODE.to_owned()], 10).await
            });
            !taken.await.unwrap().is_empty()
        });
        let went_on = both.join_all().await.into_iter().filter(|went| *went).count();
        assert!(went_on <= 1, "the node is told to let go of what a pin records");
        if stage.is_releasing("a").await {
            taken += 1;
        } else {
            pinned += 1;
        }
        // The end of both.
        stage.delete(id).await;
        stage.clock.pass(ARRIVED);
        let (call, _) = stage.take().await;
        stage.released("a", call).await;
        assert!(stage.rows().await.is_empty());
    }
    println!("{pinned} pins and {taken} janitors were first");
}

#[tokio::test]
async fn blocks_are_not_collected_while_a_pin_is_made() {
    use crate::task::claim;
    use reelpin_schema::task::{self, Kind, NewTask};

    let stage = Stage::new().await;
    let id = ticket(&stage.db).await;
    stage
        .db
        .run_tx("test.pin_task", async move |tx| {
            task::enqueue(tx, id, &NewTask::of(Kind::Pin)).await?;
            unpin::loosened(tx, pin::NODE).await
        })
        .await
        .unwrap();
    let lease = claim(&stage.db, &[Kind::Pin]).await.unwrap();
    assert!(stage.take().await.1.is_empty());
    assert_eq!(stage.rows().await, [row(LOOSE, "waiting")]);
    stage.db.run_tx("test.finish", async move |tx| task::finish(tx, &lease).await).await.unwrap();
    stage.clock.pass(Duration::seconds(10));
    let (call, taken) = stage.take().await;
    assert_eq!(taken, [LOOSE]);
    assert!(stage.is_releasing("whatever").await, "a pin would lose its blocks");
    // Meanwhile something else was let go of: one more time.
    stage
        .db
        .run_tx("test.loosened", async move |tx| unpin::loosened(tx, pin::NODE).await)
        .await
        .unwrap();
    assert!(stage.released(LOOSE, call).await);
    let (call, taken) = stage.take().await;
    assert_eq!(taken, [LOOSE]);
    assert!(stage.released(LOOSE, call).await);
    assert!(stage.rows().await.is_empty());
}

#[tokio::test]
async fn what_is_superseded_stays_until_the_new_one_is_pinned() {
    let stage = Stage::new().await;
    let id = stage.pinned("a").await;
    let before = stage.pin_of(id).await;
    assert!(!stage.supersede(id, "a").await);
    assert!(stage.supersede(id, "b").await);
    let now = stage.pin_of(id).await;
    assert_eq!((now.cid.as_str(), now.state), ("b", State::Queued));
    assert_eq!(now.replaces.as_deref(), Some("a"));
    assert!(stage.rows().await.is_empty());
    assert!(matches!(stage.record(id, before).await, Err(DbError::Stale { .. })));

    stage.record(id, now).await.unwrap();
    assert_eq!(stage.rows().await, [row("a", "waiting")]);
    let now = stage.pin_of(id).await;
    assert_eq!((now.state, now.replaces), (State::Pinned, None));
}

#[tokio::test]
async fn of_two_that_supersede_only_the_pinned_one_stays_meanwhile() {
    let stage = Stage::new().await;
    let id = stage.pinned("a").await;
    stage.supersede(id, "b").await;
    stage.supersede(id, "c").await;
    assert_eq!(stage.pin_of(id).await.replaces.as_deref(), Some("a"));
    assert_eq!(stage.rows().await, [row("b", "waiting")]);
    // Back to the first: nothing to let go of for it.
    stage.supersede(id, "a").await;
    let now = stage.pin_of(id).await;
    assert_eq!((now.cid.as_str(), now.replaces.clone()), ("a", None));
    stage.record(id, now).await.unwrap();
    assert_eq!(stage.rows().await, [row("b", "waiting"), row("c", "waiting")]);
}

#[tokio::test]
async fn a_deleted_video_lets_go_of_what_was_superseded_too() {
    let stage = Stage::new().await;
    let id = stage.pinned("a").await;
    stage.supersede(id, "b").await;
    stage.delete(id).await;
    assert_eq!(stage.take().await.1, ["a", "b"]);
}
