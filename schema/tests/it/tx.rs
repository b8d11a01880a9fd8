//! The one door for transactions.

use std::time::Duration;

use reelpin_schema::db::{Db, DbError, MIGRATIONS};
use reelpin_testing::database;
use tokio::task::JoinSet;

async fn counter(db: &Db) {
    db.run_tx("test.table", async move |tx| {
        tx.exec("CREATE TABLE counters (id INT8 PRIMARY KEY, n INT8 NOT NULL)", &[]).await?;
        tx.exec("INSERT INTO counters (id, n) VALUES (1, 0)", &[]).await
    })
    .await
    .unwrap();
}

async fn count(db: &Db) -> i64 {
    db.run_tx("test.count", async move |tx| {
        Ok::<_, DbError>(tx.opt("SELECT n FROM counters WHERE id = 1", &[]).await?.unwrap().get(0))
    })
    .await
    .unwrap()
}

/// Read, then write what was read plus one: wrong under anything less than serializable.
async fn increment(db: Db) -> Result<(), DbError> {
    db.run_tx("test.increment", async move |tx| {
        let row = tx.opt("SELECT n FROM counters WHERE id = 1", &[]).await?;
        let n: i64 = row.unwrap().get(0);
        tx.exec("UPDATE counters SET n = $1 WHERE id = 1", &[&(n + 1)]).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn contended_transactions_are_retried_until_each_has_happened_once() {
    let db = database().await.unwrap();
    counter(&db).await;
    let mut all = JoinSet::new();
    for _ in 0..40 {
        all.spawn(increment(db.clone()));
    }
    while let Some(done) = all.join_next().await {
        done.unwrap().unwrap();
    }
    assert_eq!(count(&db).await, 40);
}

#[tokio::test]
async fn a_body_that_fails_leaves_nothing() {
    let db = database().await.unwrap();
    counter(&db).await;
    let failed: Result<(), DbError> = db
        .run_tx("test.fail", async move |tx| {
            tx.exec("UPDATE counters SET n = 7", &[]).await?;
            Err(DbError::LeaseLost)
        })
        .await;
    assert!(matches!(failed, Err(DbError::LeaseLost)));
    assert_eq!(count(&db).await, 0);
}

#[tokio::test]
async fn a_swallowed_conflict_is_retried_all_the_same() {
    let db = database().await.unwrap();
    counter(&db).await;
    let tries = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = tries.clone();
    db.run_tx("test.swallow", async move |tx| {
        let first = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        if first {
            // What a caller that ignores errors would do with a real 40001.
            let raised = tx
                .exec("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$", &[])
                .await;
            assert!(raised.is_err());
        }
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
    assert_eq!(tries.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_transaction_dropped_half_way_never_commits_and_holds_no_lock() {
    let db = database().await.unwrap();
    counter(&db).await;
    let (reached, there) = tokio::sync::oneshot::channel::<()>();
    let reached = std::sync::Mutex::new(Some(reached));
    let half = db.run_tx("test.half", async move |tx| {
        tx.exec("UPDATE counters SET n = 7", &[]).await?;
        if let Some(reached) = reached.lock().unwrap().take() {
            let _ = reached.send(());
        }
        std::future::pending::<Result<(), DbError>>().await
    });
    tokio::select! {
        _ = half => panic!("it never ends"),
        heard = there => heard.unwrap(),
    }
    let after = tokio::time::timeout(Duration::from_secs(10), increment(db.clone())).await;
    after.expect("the row is still locked").unwrap();
    assert_eq!(count(&db).await, 1);
}

#[tokio::test]
async fn a_migration_whose_process_died_before_it_was_remembered_is_applied_again() {
    let db = database().await.unwrap();
    for one in MIGRATIONS.iter().rev() {
        let name = one.name;
        db.run_tx("test.forget", async move |tx| {
            tx.exec("DELETE FROM migrations WHERE name >= $1", &[&name]).await
        })
        .await
        .unwrap();
        db.migrate().await.unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

#[tokio::test]
async fn migrations_apply_twice_and_a_newer_schema_is_refused() {
    let db = database().await.unwrap();
    db.migrate().await.unwrap();
    db.run_tx("test.newer", async move |tx| {
        tx.exec("INSERT INTO migrations (name, applied_at) VALUES ('9999-x/up1', now())", &[]).await
    })
    .await
    .unwrap();
    assert!(matches!(db.migrate().await, Err(DbError::Newer(name)) if name == "9999-x/up1"));
}
