//! Videos: their steps, their numbered events, and the look for uploads.

use reelpin_schema::db::{Db, DbError};
use reelpin_schema::event::{self, Event};
use reelpin_schema::failure::Failure;
use reelpin_schema::keys;
use reelpin_schema::task::Kind;
use reelpin_schema::video::{self, NewVideo, Status, StepError};
use reelpin_testing::database;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::task::claim;

/// Stores a ticket; returns the video's id.
pub(crate) async fn ticket(db: &Db) -> Uuid {
    let (id, file_id) = (Uuid::now_v7(), Uuid::now_v7());
    let new = NewVideo {
        id,
        file_id,
        title: "film".to_owned(),
        description: String::new(),
        filename: "film.mp4".to_owned(),
        file_path: keys::original(id, file_id),
        file_size: 7,
        ticket: time::Duration::hours(1),
        look_after: time::Duration::ZERO,
    };
    db.run_tx("test.ticket", async move |tx| video::insert(tx, &new).await).await.unwrap();
    id
}

async fn names(db: &Db, id: Uuid) -> Vec<(i64, String)> {
    let events =
        db.run_tx("test.events", async move |tx| event::since(tx, id, 0, 1000).await).await;
    events.unwrap().into_iter().map(|e| (e.seq, e.name)).collect()
}

async fn status(db: &Db, id: Uuid) -> Status {
    let found = db.run_tx("test.get", async move |tx| video::get(tx, id).await).await;
    found.unwrap().unwrap().status
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_announced_once_whoever_finds_it() {
    let db = database().await.unwrap();
    let id = ticket(&db).await;
    let mut all = JoinSet::new();
    for _ in 0..8 {
        let db = db.clone();
        all.spawn(async move {
            db.run_tx("test.uploaded", async move |tx| video::uploaded(tx, id, "\"e\"").await).await
        });
    }
    for done in all.join_all().await {
        done.unwrap();
    }
    assert_eq!(names(&db, id).await, [(1, "uploaded".to_owned())]);
    assert!(claim(&db, &[Kind::Probe]).await.is_some());
    assert!(claim(&db, &[Kind::Probe]).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_numbered_without_gap_or_repeat_under_contention() {
    let db = database().await.unwrap();
    let id = ticket(&db).await;
    let mut all = JoinSet::new();
    for n in 0..30_u32 {
        let db = db.clone();
        all.spawn(async move {
            db.run_tx("test.append", async move |tx| {
                event::append(tx, id, &Event::RungCompleted { resolution: format!("{n}p") })
                    .await?;
                // A third of the bodies fail after numbering: their numbers must not be used up.
                if n % 3 == 0 { Err(DbError::LeaseLost) } else { Ok(()) }
            })
            .await
        });
    }
    let stored = all.join_all().await.into_iter().filter(Result::is_ok).count();
    assert_eq!(stored, 20);
    let numbers: Vec<i64> = names(&db, id).await.into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn cancelled_and_retried_it_goes_on_where_it_stood() {
    let db = database().await.unwrap();
    let id = ticket(&db).await;
    db.run_tx("t", async move |tx| video::uploaded(tx, id, "\"e\"").await).await.unwrap();
    let probing = claim(&db, &[Kind::Probe]).await.unwrap();
    db.run_tx("t", async move |tx| video::cancel(tx, id).await).await.unwrap();
    db.run_tx("t", async move |tx| video::cancel(tx, id).await).await.unwrap();
    assert_eq!(status(&db, id).await, Status::Cancelled);
    let lost =
        db.run_tx("t", async move |tx| reelpin_schema::task::guard(tx, &probing).await).await;
    assert!(matches!(lost, Err(DbError::LeaseLost)));

    db.run_tx("t", async move |tx| video::retry(tx, id).await).await.unwrap();
    assert_eq!(status(&db, id).await, Status::Uploaded);
    assert!(claim(&db, &[Kind::Probe]).await.is_some());
    let again = db.run_tx("t", async move |tx| video::retry(tx, id).await).await;
    assert!(matches!(again, Err(StepError::Bad(_))));
    let told: Vec<String> = names(&db, id).await.into_iter().map(|(_, name)| name).collect();
    assert_eq!(told, ["uploaded", "cancelled", "retried"]);
}

#[tokio::test]
async fn an_expired_upload_has_nothing_to_try_again() {
    let db = database().await.unwrap();
    let id = ticket(&db).await;
    let failure = Failure::upload_expired();
    db.run_tx("t", async move |tx| video::fail(tx, id, &failure).await).await.unwrap();
    let retried = db.run_tx("t", async move |tx| video::retry(tx, id).await).await;
    assert!(matches!(retried, Err(StepError::Expired)));
    assert_eq!(status(&db, id).await, Status::Failed);
    let late = db.run_tx("t", async move |tx| video::uploaded(tx, id, "\"e\"").await).await;
    assert!(matches!(late, Err(StepError::Bad(_))));
}

#[tokio::test]
async fn a_deleted_video_is_a_tombstone_with_one_task() {
    let db = database().await.unwrap();
    let id = ticket(&db).await;
    db.run_tx("t", async move |tx| video::uploaded(tx, id, "\"e\"").await).await.unwrap();
    db.run_tx("t", async move |tx| video::delete(tx, id).await).await.unwrap();
    db.run_tx("t", async move |tx| video::delete(tx, id).await).await.unwrap();
    assert_eq!(status(&db, id).await, Status::Deleted);
    assert_eq!(claim(&db, &Kind::ALL).await.unwrap().kind(), Kind::Delete);
    assert!(claim(&db, &Kind::ALL).await.is_none());
    let listed = db.run_tx("t", async move |tx| video::list(tx, None, 10).await).await.unwrap();
    assert!(listed.is_empty());
}

#[tokio::test]
async fn looks_for_an_upload_grow_apart() {
    let db = database().await.unwrap();
    let id = ticket(&db).await;
    let look = async || {
        db.run_tx("t", async move |tx| video::take_looks(tx, 10).await).await.unwrap().len()
    };
    assert_eq!(look().await, 1);
    assert_eq!(look().await, 0, "it was looked for again at once");
    let mut waits = Vec::new();
    for _ in 0..8 {
        let wait: i64 = db
            .run_tx("t", async move |tx| {
                let row = tx
                    .opt(
                        "SELECT round(extract(epoch FROM look_at - now()))::INT8 AS wait
                        FROM videos WHERE id = $1",
                        &[&id],
                    )
                    .await?;
                tx.exec("UPDATE videos SET look_at = now() WHERE id = $1", &[&id]).await?;
                Ok::<_, DbError>(row.unwrap().get("wait"))
            })
            .await
            .unwrap();
        waits.push(wait);
        look().await;
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
}
