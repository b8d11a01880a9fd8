//! Owners who change their minds, and followers of the events.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reelpin_schema::db::DbError;
use reelpin_schema::event;
use reelpin_schema::video::{self, StepError};

use super::Stage;

/// Uploads, cancels, retries and, seldom, deletes.
pub(super) async fn interfere(stage: Stage) {
    while !stage.is_calm() {
        stage.wishes.fetch_add(1, Ordering::Relaxed);
        let wish = rand::random_range(0..100);
        if wish < 10 {
            stage.upload().await;
            continue;
        }
        let id = stage.any_video();
        let done = stage
            .db
            .run_tx("stress.wish", async move |tx| match wish {
                10..35 => video::cancel(tx, id).await,
                35..95 => video::retry(tx, id).await,
                _ => video::delete(tx, id).await,
            })
            .await;
        match done {
            Ok(()) | Err(StepError::Bad(_) | StepError::NothingDead) => {}
            Err(e) => panic!("{e}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Reads on from the last event it knows, as a feed does: each once, in order.
pub(super) async fn follow(stage: Stage) {
    let mut known = BTreeMap::new();
    while !stage.is_calm() {
        let id = stage.any_video();
        let last = known.entry(id).or_insert(0_i64);
        let since = *last;
        let new = stage
            .db
            .run_tx("stress.follow", async move |tx| event::since(tx, id, since, 1000).await)
            .await;
        for event in new.unwrap_or_else(|e: DbError| panic!("{e}")) {
            *last += 1;
            assert_eq!(event.seq, *last);
        }
    }
}
