//! Tasks: claims, leases, fencing, attempts, dead letters, and what waits for what.

use std::collections::HashSet;

use reelpin_schema::db::{Db, DbError};
use reelpin_schema::task::{self, Kind, Lease, NewTask, State, Wanted};
use reelpin_testing::database;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::video::ticket;

pub(crate) async fn claim(db: &Db, kinds: &[Kind]) -> Option<Lease> {
    claim_of(db, Wanted::of(kinds)).await
}

async fn claim_of(db: &Db, wanted: Wanted) -> Option<Lease> {
    let token = Uuid::new_v4();
    db.run_tx("test.claim", async move |tx| task::claim(tx, token, "test", &wanted).await)
        .await
        .unwrap()
}

async fn enqueue(db: &Db, video: Uuid, new: NewTask) {
    db.run_tx("test.enqueue", async move |tx| task::enqueue(tx, video, &new).await).await.unwrap();
}

async fn finish(db: &Db, lease: &Lease) -> Result<(), DbError> {
    let lease = lease.clone();
    db.run_tx("test.finish", async move |tx| task::finish(tx, &lease).await).await
}

/// Lets a lease's time pass.
async fn expire(db: &Db, lease: &Lease) {
    let id = lease.task();
    db.run_tx("test.expire", async move |tx| {
        tx.exec("UPDATE tasks SET lease_until = now() - interval '1 s' WHERE id = $1", &[&id]).await
    })
    .await
    .unwrap();
}

async fn sweep(db: &Db) -> Vec<task::Ended> {
    db.run_tx("test.sweep", async move |tx| task::sweep(tx, 50).await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_task_is_claimed_once() {
    let db = database().await.unwrap();
    let video = ticket(&db).await;
    for place in 0..12 {
        enqueue(&db, video, NewTask::at(Kind::Encode, place)).await;
    }
    let mut all = JoinSet::new();
    for _ in 0..6 {
        let db = db.clone();
        all.spawn(async move {
            let mut mine = Vec::new();
            while let Some(lease) = claim(&db, &[Kind::Encode]).await {
                mine.push(lease.place());
            }
            mine
        });
    }
    let claimed: Vec<i64> = all.join_all().await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), 12);
    assert_eq!(claimed.into_iter().collect::<HashSet<_>>(), (0..12).collect());
}

#[tokio::test]
async fn the_beginning_of_a_film_goes_before_the_far_parts_of_another() {
    let db = database().await.unwrap();
    let (long, short) = (ticket(&db).await, ticket(&db).await);
    for place in [0, 20, 40] {
        enqueue(&db, long, NewTask::at(Kind::Encode, place)).await;
    }
    enqueue(&db, short, NewTask::at(Kind::Encode, 0)).await;
    let mut order = Vec::new();
    while let Some(lease) = claim(&db, &[Kind::Encode]).await {
        order.push((lease.video() == long, lease.place()));
    }
    assert_eq!(order, [(true, 0), (false, 0), (true, 20), (true, 40)]);
}

#[tokio::test]
async fn the_beginning_of_a_film_does_not_wait_for_a_long_one() {
    let db = database().await.unwrap();
    let (long, short) = (ticket(&db).await, ticket(&db).await);
    for place in (0..1200).step_by(20) {
        enqueue(&db, long, NewTask::at(Kind::Encode, place)).await;
    }
    enqueue(&db, short, NewTask::at(Kind::Encode, 0)).await;
    assert_eq!(claim(&db, &[Kind::Encode]).await.unwrap().video(), long);
    assert_eq!(claim(&db, &[Kind::Encode]).await.unwrap().video(), short);
    // Who watches the long one has come to its 600th second meanwhile.
    let set = "UPDATE tasks SET ready_at = ready_at - interval '600 s' WHERE video_id = $1";
    db.run_tx("test.earlier", async move |tx| tx.exec(set, &[&long]).await).await.unwrap();
    enqueue(&db, ticket(&db).await, NewTask::at(Kind::Encode, 0)).await;
    let lease = claim(&db, &[Kind::Encode]).await.unwrap();
    assert_eq!((lease.video(), lease.place()), (long, 20));
}

#[tokio::test]
async fn what_was_interrupted_goes_before_what_comes_after_it() {
    let db = database().await.unwrap();
    let video = ticket(&db).await;
    for place in (0..600).step_by(20) {
        enqueue(&db, video, NewTask::at(Kind::Encode, place)).await;
    }
    let set = "UPDATE tasks SET ready_at = ready_at - interval '1 hour' WHERE video_id = $1";
    db.run_tx("test.earlier", async move |tx| tx.exec(set, &[&video]).await).await.unwrap();
    let died = claim(&db, &[Kind::Encode]).await.unwrap();
    let held = died.clone();
    db.run_tx("test.progressed", async move |tx| task::progressed(tx, &held).await).await.unwrap();
    expire(&db, &died).await;
    assert_eq!(sweep(&db).await.len(), 1);
    let left = claim(&db, &[Kind::Encode]).await.unwrap();
    let (back, none) = (left.clone(), time::Duration::ZERO);
    db.run_tx("test.defer", async move |tx| task::defer(tx, &back, none).await).await.unwrap();
    let third = claim(&db, &[Kind::Encode]).await.unwrap();
    assert_eq!([died.place(), left.place(), third.place()], [0, 0, 0]);
}

#[tokio::test]
async fn what_is_left_to_others_is_not_claimed() {
    let db = database().await.unwrap();
    let (left, other) = (ticket(&db).await, ticket(&db).await);
    for video in [left, other] {
        enqueue(&db, video, NewTask::of(Kind::Encode)).await;
    }
    let but = async || {
        let wanted = Wanted { not: vec![left], ..Wanted::of(&Kind::ALL) };
        claim_of(&db, wanted).await
    };
    assert_eq!(but().await.unwrap().video(), other);
    assert_eq!(but().await, None);
    assert_eq!(claim(&db, &[Kind::Encode]).await.unwrap().video(), left);
}

#[tokio::test]
async fn beginnings_without_a_starter_are_claimed_when_nobody_took_them() {
    let db = database().await.unwrap();
    let (started, other) = (ticket(&db).await, ticket(&db).await);
    enqueue(&db, started, NewTask::of(Kind::Starter)).await;
    for video in [started, other] {
        for place in [0, 20] {
            enqueue(&db, video, NewTask::at(Kind::Encode, place)).await;
        }
    }
    let unstarted = || Wanted { unstarted: true, ..Wanted::of(&[Kind::Encode]) };
    assert_eq!(claim_of(&db, unstarted()).await, None, "others may take it");
    let set = "UPDATE tasks SET ready_at = ready_at - interval '6 s'";
    db.run_tx("test.earlier", async move |tx| tx.exec(set, &[]).await).await.unwrap();
    let lease = claim_of(&db, unstarted()).await.unwrap();
    assert_eq!((lease.video(), lease.place()), (other, 0));
    assert_eq!(claim_of(&db, unstarted()).await, None);
}

#[tokio::test]
async fn what_the_last_attempt_stored_counts() {
    let db = database().await.unwrap();
    let video = ticket(&db).await;
    enqueue(&db, video, NewTask::of(Kind::Encode)).await;
    for attempt in 1..=Kind::Encode.max_attempts() + 1 {
        let lease = claim(&db, &[Kind::Encode]).await.unwrap();
        let last = attempt == Kind::Encode.max_attempts();
        let ended = db
            .run_tx("test.give_back", async move |tx| {
                if last {
                    task::progressed(tx, &lease).await?;
                }
                task::give_back(tx, &lease, time::Duration::ZERO, "test").await
            })
            .await
            .unwrap();
        assert_eq!(ended.state, State::Ready, "after attempt {attempt}");
    }
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_found_again() {
    let db = database().await.unwrap();
    let video = ticket(&db).await;
    enqueue(&db, video, NewTask::of(Kind::Audio)).await;
    enqueue(&db, video, NewTask::of(Kind::Poster)).await;
    let token = Uuid::new_v4();
    let again = async || {
        db.run_tx("test.claim", async move |tx| {
            let wanted = Wanted::of(&[Kind::Audio, Kind::Poster]);
            task::claim(tx, token, "test", &wanted).await
        })
        .await
        .unwrap()
        .unwrap()
    };
    assert_eq!(again().await, again().await);
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_changes_nothing() {
    let db = database().await.unwrap();
    let video = ticket(&db).await;
    enqueue(&db, video, NewTask::of(Kind::Audio)).await;
    let slow = claim(&db, &[Kind::Audio]).await.unwrap();
    assert!(sweep(&db).await.is_empty(), "a lease that stands was taken");
    expire(&db, &slow).await;
    assert_eq!(sweep(&db).await[0].state, State::Ready);

    let fast = claim(&db, &[Kind::Audio]).await.unwrap();
    assert_eq!((slow.attempt(), fast.attempt()), (1, 2));
    let lost = slow.clone();
    let guarded = db.run_tx("test.guard", async move |tx| task::guard(tx, &lost).await).await;
    assert!(matches!(guarded, Err(DbError::LeaseLost)));
    let lost = slow.clone();
    let renewed = db.run_tx("test.renew", async move |tx| task::renew(tx, &lost).await).await;
    assert!(matches!(renewed, Err(DbError::LeaseLost)));
    assert!(matches!(finish(&db, &slow).await, Err(DbError::LeaseLost)));
    finish(&db, &fast).await.unwrap();
}

#[tokio::test]
async fn attempts_are_bounded_and_then_dead_lettered() {
    let db = database().await.unwrap();
    let video = ticket(&db).await;
    enqueue(&db, video, NewTask::of(Kind::Audio)).await;
    for attempt in 1..=Kind::Audio.max_attempts() {
        let lease = claim(&db, &[Kind::Audio]).await.unwrap();
        assert_eq!(lease.attempt(), attempt);
        let ended = db
            .run_tx("test.give_back", async move |tx| {
                task::give_back(tx, &lease, time::Duration::ZERO, "test").await
            })
            .await
            .unwrap();
        let last = attempt == Kind::Audio.max_attempts();
        assert_eq!(ended.state, if last { State::Dead } else { State::Ready });
    }
    assert_eq!(claim(&db, &[Kind::Audio]).await, None);

    let revived = db.run_tx("test.revive", async move |tx| task::revive(tx, video).await).await;
    assert_eq!(revived.unwrap(), 1);
    assert_eq!(claim(&db, &[Kind::Audio]).await.unwrap().attempt(), 6);
}

#[tokio::test]
async fn putting_off_costs_no_attempt() {
    let db = database().await.unwrap();
    let video = ticket(&db).await;
    enqueue(&db, video, NewTask::of(Kind::Delete)).await;
    let before = claim(&db, &[Kind::Delete]).await.unwrap();
    let lease = before.clone();
    db.run_tx("test.defer", async move |tx| task::defer(tx, &lease, time::Duration::ZERO).await)
        .await
        .unwrap();
    let after = claim(&db, &[Kind::Delete]).await.unwrap();
    let left = |lease: &Lease| lease.max_attempts() - lease.attempt();
    assert_eq!(left(&before), left(&after));
}

#[tokio::test]
async fn packaging_waits_for_all_and_a_dead_poster_holds_nothing() {
    let db = database().await.unwrap();
    let video = ticket(&db).await;
    for kind in [Kind::Encode, Kind::Poster] {
        enqueue(&db, video, NewTask::of(kind)).await;
    }
    let after = &[Kind::Encode, Kind::Poster];
    enqueue(&db, video, NewTask::after(Kind::Package, after)).await;
    assert_eq!(claim(&db, &[Kind::Package]).await, None);

    let encode = claim(&db, &[Kind::Encode]).await.unwrap();
    finish(&db, &encode).await.unwrap();
    assert_eq!(claim(&db, &[Kind::Package]).await, None);

    let poster = claim(&db, &[Kind::Poster]).await.unwrap();
    let failure = reelpin_schema::failure::Failure::internal();
    db.run_tx("test.refuse", async move |tx| task::refuse(tx, &poster, &failure).await)
        .await
        .unwrap();
    assert!(claim(&db, &[Kind::Package]).await.is_some());
}

#[tokio::test]
async fn what_was_cancelled_waits_again_for_the_same_when_revived() {
    let db = database().await.unwrap();
    let video = ticket(&db).await;
    enqueue(&db, video, NewTask::of(Kind::Encode)).await;
    enqueue(&db, video, NewTask::after(Kind::Package, &[Kind::Encode])).await;
    let running = claim(&db, &[Kind::Encode]).await.unwrap();
    db.run_tx("test.cancel", async move |tx| task::cancel_all(tx, video).await).await.unwrap();
    assert!(matches!(finish(&db, &running).await, Err(DbError::LeaseLost)));

    db.run_tx("test.revive", async move |tx| task::revive(tx, video).await).await.unwrap();
    assert_eq!(claim(&db, &[Kind::Package]).await, None);
    let encode = claim(&db, &[Kind::Encode]).await.unwrap();
    finish(&db, &encode).await.unwrap();
    assert!(claim(&db, &[Kind::Package]).await.is_some());
}
