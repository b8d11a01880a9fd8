//! The order of all events, and the lease of whoever assigns it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reelpin_schema::db::{Db, DbError, Tx};
use reelpin_schema::event::{self, Event, Positioned, Unnumbered};
use reelpin_schema::{lease, task, video};
use reelpin_testing::database;
use time::OffsetDateTime;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::video::ticket;

const LEASE: Duration = Duration::from_secs(10);

fn rung() -> Event {
    Event::RungCompleted { resolution: "480p".to_owned() }
}

async fn append(db: &Db, id: Uuid) -> i64 {
    let step = async move |tx: &Tx| event::append(tx, id, &rung()).await;
    db.run_tx("test.append", step).await.unwrap()
}

async fn number(db: &Db, limit: i64) -> usize {
    let step = async move |tx: &Tx| event::number(tx, limit).await;
    db.run_tx("test.number", step).await.unwrap().numbered
}

async fn after(db: &Db, position: i64, limit: i64) -> Vec<Positioned> {
    let step = async move |tx: &Tx| event::after_position(tx, position, limit).await;
    db.run_tx("test.after", step).await.unwrap()
}

/// One round of a relay whose token is given: how many it numbered, `None` when another leads.
async fn round(db: &Db, token: Uuid) -> Option<usize> {
    db.run_tx("test.round", async move |tx| {
        if !lease::hold(tx, "relay", token, LEASE).await? {
            return Ok::<_, DbError>(None);
        }
        Ok(Some(event::number(tx, 7).await?.numbered))
    })
    .await
    .unwrap()
}

/// No gap, and each video's events by their numbers.
fn check(events: &[Positioned]) {
    let mut seqs: BTreeMap<Uuid, i64> = BTreeMap::new();
    for (place, positioned) in (1..).zip(events) {
        assert_eq!(positioned.position, place);
        let seq = seqs.entry(positioned.video).or_default();
        assert_eq!(positioned.event.seq, *seq + 1, "of {}", positioned.video);
        *seq = positioned.event.seq;
    }
}

#[test]
fn by_time_but_each_videos_own_by_number() {
    let video = |n: u8| Uuid::from_bytes([n; 16]);
    let ordered = |events: &[(i64, u8, i64)]| -> String {
        let events = events
            .iter()
            .map(|&(at, v, seq)| Unnumbered {
                at: OffsetDateTime::from_unix_timestamp(at).unwrap(),
                video: video(v),
                seq,
            })
            .collect();
        let words: Vec<String> = event::in_order(events)
            .into_iter()
            .map(|(video, seq)| format!("{}.{seq}", char::from(video.as_bytes()[0])))
            .collect();
        words.join(" ")
    };
    for (events, wanted) in [
        (&[][..], ""),
        (&[(1, b'a', 1)], "a.1"),
        (&[(2, b'a', 1), (1, b'b', 1)], "b.1 a.1"),
        (&[(1, b'b', 1), (1, b'a', 1)], "a.1 b.1"),
        (&[(1, b'a', 2), (1, b'a', 1)], "a.1 a.2"),
        // Of a video whose clock went back the numbers decide, at the places that its times have.
        (&[(1, b'a', 9), (2, b'b', 4), (3, b'a', 8)], "a.8 b.4 a.9"),
        (&[(5, b'a', 1), (4, b'a', 2), (3, b'a', 3), (4, b'b', 1)], "a.1 a.2 b.1 a.3"),
        // Twice the same counts once.
        (&[(1, b'a', 1), (1, b'a', 1), (2, b'a', 2)], "a.1 a.2"),
    ] {
        assert_eq!(ordered(events), wanted, "{events:?}");
    }
}

#[tokio::test]
async fn what_clocks_did_changes_no_order_within_a_video() {
    let db = database().await.unwrap();
    let (one, two) = (ticket(&db).await, ticket(&db).await);
    for _ in 0..9 {
        append(&db, one).await;
        append(&db, two).await;
    }
    // The later its number, the earlier its time.
    db.run_tx("test.clock", async move |tx| {
        tx.exec("UPDATE events SET at = at - seq * INTERVAL '1 hour'", &[]).await
    })
    .await
    .unwrap();
    let mut rounds = Vec::new();
    while let n @ 1.. = number(&db, 3).await {
        rounds.push(n);
    }
    assert!(rounds.iter().all(|n| *n <= 6), "{rounds:?}");
    let events = after(&db, 0, 100).await;
    assert_eq!(events.len(), 18);
    check(&events);
}

#[tokio::test]
async fn one_token_holds_a_lease_until_it_expires() {
    let db = database().await.unwrap();
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let hold = async |token: Uuid, name: &'static str| {
        let step = async move |tx: &Tx| lease::hold(tx, name, token, LEASE).await;
        db.run_tx("test.hold", step).await.unwrap()
    };
    let note = async |token: Uuid, note: Option<&'static str>| {
        let step = async move |tx: &Tx| lease::set_note(tx, "relay", token, note).await;
        db.run_tx("test.note", step).await
    };
    assert!(hold(one, "relay").await);
    assert!(hold(one, "relay").await);
    assert!(!hold(two, "relay").await);
    assert!(hold(two, "other").await);
    note(one, Some("here")).await.unwrap();
    assert!(matches!(note(two, Some("there")).await, Err(DbError::LeaseLost)));
    let expire = async move |tx: &Tx| {
        tx.exec("UPDATE leases SET lease_until = now() - INTERVAL '1 second'", &[]).await
    };
    db.run_tx("test.expire", expire).await.unwrap();
    assert!(hold(two, "relay").await);
    assert!(!hold(one, "relay").await);
    let read = async move |tx: &Tx| lease::note(tx, "relay").await;
    assert_eq!(db.run_tx("test.read", read).await.unwrap().as_deref(), Some("here"));
    // Who does not hold it lets nothing go.
    for (token, free) in [(one, false), (two, true)] {
        let release = async move |tx: &Tx| lease::release(tx, "relay", token).await;
        db.run_tx("test.release", release).await.unwrap();
        assert_eq!(hold(one, "relay").await, free);
    }
    note(one, None).await.unwrap();
    assert_eq!(db.run_tx("test.read", read).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_and_many_writers_leave_no_gap_and_a_cursor_skips_nothing() {
    const WRITERS: usize = 8;
    const EVENTS: usize = 25;
    let db = database().await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..WRITERS / 2 {
        ids.push(ticket(&db).await);
    }
    let written = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for n in 0..WRITERS {
        // Two to a video, so that commits overlap, and numbers and times are not in step.
        let (db, id) = (db.clone(), ids[n % ids.len()]);
        writers.spawn(async move {
            for _ in 0..EVENTS {
                append(&db, id).await;
            }
        });
    }
    let mut relays = JoinSet::new();
    for token in [1, 2] {
        let (db, written) = (db.clone(), written.clone());
        relays.spawn(async move {
            let mut numbered = 0;
            loop {
                let last = written.load(Ordering::Acquire);
                match round(&db, Uuid::from_u128(token)).await {
                    Some(0) | None if last => return numbered,
                    led => numbered += led.unwrap_or(0),
                }
                tokio::task::yield_now().await;
            }
        });
    }
    // Reads as a client does: always from where it is, while both relays and all writers are at it.
    let mut reader = JoinSet::new();
    reader.spawn({
        let db = db.clone();
        async move {
            let mut read: Vec<Positioned> = Vec::new();
            while read.len() < WRITERS * EVENTS {
                let place = read.last().map_or(0, |last| last.position);
                read.extend(after(&db, place, 5).await);
            }
            read
        }
    });
    writers.join_all().await;
    written.store(true, Ordering::Release);
    let numbered: Vec<usize> = relays.join_all().await;
    assert_eq!(numbered.iter().sum::<usize>(), WRITERS * EVENTS);
    assert!(numbered.contains(&0), "both worked: {numbered:?}");
    let read = reader.join_all().await.remove(0);
    check(&read);
    assert_eq!(read, after(&db, 0, 1000).await);
}

#[tokio::test]
async fn what_is_announced_is_not_read_again() {
    let db = database().await.unwrap();
    let id = ticket(&db).await;
    db.run_tx("t", async move |tx| video::uploaded(tx, id, "\"e\"").await).await.unwrap();
    let events = async || {
        let step = async move |tx: &Tx| event::unannounced(tx, 10).await;
        db.run_tx("t", step).await.unwrap()
    };
    let tasks = async || {
        let step = async move |tx: &Tx| task::unannounced(tx, 10).await;
        db.run_tx("t", step).await.unwrap()
    };
    assert_eq!(events().await, []);
    number(&db, 10).await;
    assert_eq!(events().await, [(id, 1)]);
    let told = tasks().await;
    assert_eq!(told.len(), 1);
    db.run_tx("t", async move |tx| event::announced(tx, &[1]).await).await.unwrap();
    let again = told.clone();
    db.run_tx("t", async move |tx| task::announced(tx, &again).await).await.unwrap();
    assert_eq!(events().await, []);
    assert_eq!(tasks().await, []);
    // Ready again, it is announced again, and the old announcement does not count for it.
    let lease = crate::task::claim(&db, &task::Kind::ALL).await.unwrap();
    let defer = async move |tx: &Tx| task::defer(tx, &lease, time::Duration::ZERO).await;
    db.run_tx("t", defer).await.unwrap();
    db.run_tx("t", async move |tx| task::announced(tx, &told).await).await.unwrap();
    assert_eq!(tasks().await.len(), 1);
}

#[tokio::test]
async fn what_was_removed_only_rises() {
    let db = database().await.unwrap();
    let id = ticket(&db).await;
    append(&db, id).await;
    number(&db, 10).await;
    for (raise, wanted) in [(5, 5), (3, 5), (6, 6)] {
        let positions = db
            .run_tx("t", async move |tx| {
                event::raise_removed(tx, raise).await?;
                event::positions(tx).await
            })
            .await
            .unwrap();
        assert_eq!((positions.last, positions.removed), (1, wanted));
    }
}
