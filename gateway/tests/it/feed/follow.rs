//! Snapshots, events in order and without gaps, progress.

use std::collections::BTreeMap;

use expect_test::expect;
use reelpin_schema::event::{self, Event};
use reelpin_schema::queue::Progress;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::scaffold::{Film, Socket, Stage};

/// Stores an event as another process would, without a hint to this one.
pub(super) async fn announce(stage: &Stage, id: Uuid, event: Event) -> anyhow::Result<i64> {
    let step = async move |tx: &reelpin_schema::db::Tx| event::append(tx, id, &event).await;
    Ok(stage.db.run_tx("test.event", step).await?)
}

pub(super) fn rung(name: &str) -> Event {
    Event::RungCompleted { resolution: name.to_owned() }
}

#[tokio::test]
async fn a_film_from_ticket_to_the_end() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut socket = Socket::open(&stage, "").await?;
    let film = Film::pending(&stage).await?;
    socket.say(&json!({ "op": "subscribe", "videos": [film.id] })).await?;
    assert_eq!(socket.brief().await?, "snapshot 0 pending");
    stage.post(&film.path("/cancel")).await?;
    assert_eq!(socket.brief().await?, "event 1 cancelled");
    let film = Film::completed(&stage).await?;
    let since = json!({ film.id.to_string(): 0 });
    socket.say(&json!({ "op": "subscribe", "videos": [film.id], "since": since })).await?;
    expect![[r#"
        [
            "snapshot 6 completed",
            "event 1 uploaded",
            "event 2 probed",
            "event 3 planned",
            "event 4 playable",
            "event 5 completed",
            "event 6 published",
        ]
    "#]]
    .assert_debug_eq(&socket.briefs(7).await?);
    Ok(())
}

#[tokio::test]
async fn messages_are_whole() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::planned(&stage).await?;
    let mut socket = Socket::open(&stage, &format!("?video_id={}&since=2", film.id)).await?;
    let mut text = String::new();
    for _ in 0..2 {
        let mut said = socket.hear().await?;
        if said["at"].is_string() {
            said["at"] = json!("TIME");
        }
        text.push_str(&format!("{said}\n"));
    }
    let rungs = BTreeMap::from([("480p".to_owned(), 50)]);
    stage.queue.progress(film.id, Progress { percent: 25, rungs }).await;
    text.push_str(&format!("{}\n", socket.hear().await?));
    expect![[r#"
        {"seq":3,"type":"snapshot","upload_status":"processing","video_id":"ID"}
        {"at":"TIME","data":{"audio":true,"rungs":["480p"]},"name":"planned","seq":3,"type":"event","video_id":"ID"}
        {"percent":25,"rungs":{"480p":50},"type":"progress","video_id":"ID"}
    "#]].assert_eq(&text.replace(&film.id.to_string(), "ID"));
    Ok(())
}

#[tokio::test]
async fn a_lost_hint_costs_a_second_and_no_event() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::planned(&stage).await?;
    let mut socket = Socket::open(&stage, &format!("?video_id={}", film.id)).await?;
    assert_eq!(socket.brief().await?, "snapshot 3 processing");
    for name in ["480p", "720p"] {
        announce(&stage, film.id, rung(name)).await?;
    }
    let wanted = ["event 4 rung_completed", "event 5 rung_completed"];
    assert_eq!(socket.briefs(2).await?, wanted);
    Ok(())
}

#[tokio::test]
async fn many_events_and_many_hints_are_heard_once_and_in_order() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::planned(&stage).await?;
    let mut early = Socket::open(&stage, &format!("?video_id={}", film.id)).await?;
    assert_eq!(early.brief().await?, "snapshot 3 processing");
    for n in 0..450 {
        announce(&stage, film.id, rung("480p")).await?;
        stage.queue.video_changed(film.id).await;
        if n % 7 == 0 {
            // Doubled and late.
            stage.queue.video_changed(film.id).await;
        }
    }
    let mut late = Socket::open(&stage, &format!("?video_id={}&since=3", film.id)).await?;
    assert_eq!(late.brief().await?, "snapshot 453 processing");
    let wanted: Vec<String> = (4..=453).map(|seq| format!("event {seq} rung_completed")).collect();
    assert_eq!(early.briefs(450).await?, wanted);
    assert_eq!(late.briefs(450).await?, wanted);
    Ok(())
}

#[tokio::test]
async fn a_since_that_we_do_not_know_is_reset() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::planned(&stage).await?;
    for since in [4, 99, -1] {
        let query = format!("?video_id={}&since={since}", film.id);
        let mut socket = Socket::open(&stage, &query).await?;
        assert_eq!(socket.briefs(2).await?, ["reset", "snapshot 3 processing"], "{since}");
    }
    let mut socket = Socket::open(&stage, &format!("?video_id={}&since=3", film.id)).await?;
    assert_eq!(socket.brief().await?, "snapshot 3 processing");
    stage.post(&film.path("/cancel")).await?;
    assert_eq!(socket.brief().await?, "event 4 cancelled");
    Ok(())
}

#[tokio::test]
async fn what_is_not_followed_is_not_heard() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let (one, two) = (Film::pending(&stage).await?, Film::pending(&stage).await?);
    let mut socket = Socket::open(&stage, "").await?;
    socket.say(&json!({ "op": "subscribe", "videos": [one.id, two.id, one.id] })).await?;
    assert_eq!(socket.briefs(2).await?, ["snapshot 0 pending"; 2]);
    socket.say(&json!({ "op": "unsubscribe", "videos": [one.id] })).await?;
    // An answer to something said later shows that the one before was heard.
    socket.say(&json!({ "op": "subscribe", "videos": [Uuid::nil()] })).await?;
    assert_eq!(socket.brief().await?, "error video_not_found");
    stage.post(&one.path("/cancel")).await?;
    stage.post(&two.path("/cancel")).await?;
    assert_eq!(socket.hear().await?["video_id"], two.id.to_string());
    // Again from the beginning, as a page does after a reset.
    socket.say(&json!({ "op": "subscribe", "videos": [two.id] })).await?;
    assert_eq!(socket.brief().await?, "snapshot 1 cancelled");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_understood_is_answered_in_words() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut socket = Socket::open(&stage, "").await?;
    let mut text = String::new();
    for message in [
        "hello".to_owned(),
        json!({ "op": "dance" }).to_string(),
        json!({ "op": "subscribe", "videos": ["x"] }).to_string(),
        json!({ "op": "subscribe", "all": true, "cursor": 7 }).to_string(),
        json!({ "op": "subscribe", "videos": [Uuid::nil()] }).to_string(),
        json!({ "op": "subscribe", "videos": (0..501).map(|_| Uuid::new_v4()).collect::<Vec<_>>() })
            .to_string(),
    ] {
        socket.say_raw(Message::text(message)).await?;
        text.push_str(&format!("{}\n", socket.hear().await?));
    }
    socket.say_raw(Message::binary(vec![1, 2, 3])).await?;
    text.push_str(&format!("{}\n", socket.brief().await?));
    expect![[r#"
        {"code":"bad_message","detail":"The message is none of auth, subscribe and unsubscribe.","suggestion":"See /ws in /openapi.json.","type":"error"}
        {"code":"bad_message","detail":"The message is none of auth, subscribe and unsubscribe.","suggestion":"See /ws in /openapi.json.","type":"error"}
        {"code":"bad_message","detail":"The message is none of auth, subscribe and unsubscribe.","suggestion":"See /ws in /openapi.json.","type":"error"}
        {"code":"bad_message","detail":"The message is none of auth, subscribe and unsubscribe.","suggestion":"See /ws in /openapi.json.","type":"error"}
        {"code":"video_not_found","detail":"There is no video with this id.","suggestion":"Check the id.","type":"error","video_id":"00000000-0000-0000-0000-000000000000"}
        {"code":"too_many_videos","detail":"One connection follows at most 500 videos.","suggestion":"Unsubscribe from some, or open another connection.","type":"error"}
        error bad_message
    "#]].assert_eq(&text);
    socket.say_raw(Message::text("x".repeat(70_000))).await?;
    let code = socket.closed().await?;
    assert!(matches!(code, None | Some(1009)), "{code:?}");
    Ok(())
}

#[tokio::test]
async fn the_end_of_the_gateway_is_said() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut socket = Socket::open(&stage, "").await?;
    stage.stop.cancel();
    assert_eq!(socket.closed().await?, Some(1001));
    stage.end().await
}
