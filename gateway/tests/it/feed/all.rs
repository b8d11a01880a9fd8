//! Following all videos, by cursor.

use data_encoding::BASE64URL_NOPAD;
use reelpin_schema::event;
use reelpin_schema::queue::Progress;
use serde_json::{Value, json};
use uuid::Uuid;

use super::follow::{announce, rung};
use crate::scaffold::{Film, KEY, Options, Socket, Stage, until};

/// A socket that follows all, and the cursor that it begins with.
async fn follow(stage: &Stage, cursor: Option<&str>) -> anyhow::Result<(Socket, String)> {
    let mut socket = Socket::open(stage, "").await?;
    let cursor = begin(&mut socket, cursor).await?;
    Ok((socket, cursor))
}

async fn begin(socket: &mut Socket, cursor: Option<&str>) -> anyhow::Result<String> {
    let mut ask = json!({ "op": "subscribe", "all": true });
    if let Some(cursor) = cursor {
        ask["cursor"] = json!(cursor);
    }
    socket.say(&ask).await?;
    let said = socket.hear().await?;
    assert_eq!(said["type"], "snapshot", "{said}");
    assert!(said["video_id"].is_null(), "{said}");
    Ok(text(&said["cursor"]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The next messages as `video.seq name`, with the last cursor among them.
async fn hear(
    socket: &mut Socket,
    names: &[(Uuid, &str)],
    count: usize,
) -> anyhow::Result<(Vec<String>, String)> {
    let (mut heard, mut cursor) = (Vec::new(), String::new());
    for _ in 0..count {
        let said = socket.hear().await?;
        let name = names.iter().find(|(id, _)| said["video_id"] == id.to_string());
        let name = name.map_or("?", |(_, name)| name);
        heard.push(match said["type"].as_str() {
            Some("event") if said["cursor"].is_null() => {
                format!("{name}.{} {} without cursor", said["seq"], text(&said["name"]))
            }
            Some("event") => {
                cursor = text(&said["cursor"]);
                format!("{name}.{} {}", said["seq"], text(&said["name"]))
            }
            Some("snapshot") => format!("snapshot {name}.{}", said["seq"]),
            _ => format!("{name} {}", said["type"]),
        });
    }
    Ok((heard, cursor))
}

/// A cursor as only the gateway should write it.
fn forged(position: i64) -> String {
    let mut bytes = vec![1];
    bytes.extend(position.to_be_bytes());
    BASE64URL_NOPAD.encode(&bytes)
}

/// Waits until every event has its position; returns the last.
async fn positioned(stage: &Stage, count: i64) -> anyhow::Result<i64> {
    until("every event to have its position", async || {
        let look = async move |tx: &reelpin_schema::db::Tx| event::positions(tx).await;
        let last = stage.db.run_tx("test.positions", look).await?.last;
        Ok((last >= count).then_some(last))
    })
    .await
}

#[tokio::test]
async fn every_videos_events_come_in_one_order_and_deleted_ones_too() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let (mut socket, _) = follow(&stage, None).await?;
    // Videos that came after the subscription are followed as well.
    let (one, two) = (Film::pending(&stage).await?, Film::pending(&stage).await?);
    let names = [(one.id, "one"), (two.id, "two")];
    let mut heard = Vec::new();
    for (film, step) in [(&one, "/cancel"), (&two, "/cancel")] {
        stage.post(&film.path(step)).await?;
        heard.extend(hear(&mut socket, &names, 1).await?.0);
    }
    stage.delete(&one.path("")).await?;
    heard.extend(hear(&mut socket, &names, 1).await?.0);
    stage.queue.progress(two.id, Progress { percent: 5, rungs: [].into() }).await;
    heard.extend(hear(&mut socket, &names, 1).await?.0);
    assert_eq!(heard, ["one.1 cancelled", "two.1 cancelled", "one.2 deleted", "two \"progress\""]);
    Ok(())
}

#[tokio::test]
async fn a_cursor_goes_on_where_it_was_also_before_the_first_event() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::pending(&stage).await?;
    let names = [(film.id, "film")];
    let (socket, begin) = follow(&stage, None).await?;
    drop(socket);
    for _ in 0..450 {
        announce(&stage, film.id, rung("480p")).await?;
    }
    let wanted: Vec<String> = (1..=450).map(|seq| format!("film.{seq} rung_completed")).collect();
    let (mut socket, same) = follow(&stage, Some(&begin)).await?;
    assert_eq!(same, begin);
    let (heard, cursor) = hear(&mut socket, &names, 123).await?;
    assert_eq!(heard, wanted[..123]);
    drop(socket);
    let (mut socket, _) = follow(&stage, Some(&cursor)).await?;
    let (heard, cursor) = hear(&mut socket, &names, 450 - 123).await?;
    assert_eq!(heard, wanted[123..]);
    // At the end a cursor has nothing to catch up on.
    let (mut other, same) = follow(&stage, Some(&cursor)).await?;
    assert_eq!(same, cursor);
    announce(&stage, film.id, rung("480p")).await?;
    for socket in [&mut socket, &mut other] {
        assert_eq!(hear(socket, &names, 1).await?.0, ["film.451 rung_completed"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_cursor_that_we_do_not_know_is_reset() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::pending(&stage).await?;
    for _ in 0..5 {
        announce(&stage, film.id, rung("480p")).await?;
    }
    let last = positioned(&stage, 5).await?;
    let raise = async move |tx: &reelpin_schema::db::Tx| event::raise_removed(tx, 3).await;
    stage.db.run_tx("test.removed", raise).await?;
    for (cursor, known) in [
        ("nonsense".to_owned(), false),
        (String::new(), false),
        (forged(-1), false),
        (forged(last + 1), false),
        (forged(2), false),
        (forged(3), true),
        (forged(last), true),
    ] {
        let mut socket = Socket::open(&stage, "").await?;
        socket.say(&json!({ "op": "subscribe", "all": true, "cursor": cursor })).await?;
        let first = socket.hear().await?;
        if known {
            assert_eq!(first, json!({ "type": "snapshot", "cursor": cursor }));
        } else {
            assert_eq!(first, json!({ "type": "reset" }), "{cursor}");
            let second = socket.hear().await?;
            assert_eq!(second, json!({ "type": "snapshot", "cursor": forged(last) }));
        }
    }
    Ok(())
}

#[tokio::test]
async fn by_name_and_all_each_event_comes_once() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let (one, two) = (Film::pending(&stage).await?, Film::pending(&stage).await?);
    let names = [(one.id, "one"), (two.id, "two")];
    for id in [one.id, one.id, two.id] {
        announce(&stage, id, rung("480p")).await?;
    }
    positioned(&stage, 3).await?;
    let (mut socket, _) = follow(&stage, None).await?;
    let since = json!({ one.id.to_string(): 1 });
    socket.say(&json!({ "op": "subscribe", "videos": [one.id], "since": since })).await?;
    let (heard, _) = hear(&mut socket, &names, 2).await?;
    assert_eq!(heard, ["snapshot one.2", "one.2 rung_completed without cursor"]);
    for n in 3..40 {
        announce(&stage, one.id, rung("480p")).await?;
        announce(&stage, two.id, rung("480p")).await?;
        stage.queue.video_changed(one.id).await;
        let (mut heard, _) = hear(&mut socket, &names, 2).await?;
        heard.sort();
        let two = n - 1;
        assert_eq!(heard, [format!("one.{n} rung_completed"), format!("two.{two} rung_completed")]);
    }
    // One that has no position yet when all is left comes by name.
    announce(&stage, one.id, rung("480p")).await?;
    socket.say(&json!({ "op": "unsubscribe", "all": true })).await?;
    announce(&stage, two.id, rung("480p")).await?;
    announce(&stage, one.id, rung("480p")).await?;
    let mut seqs = Vec::new();
    while seqs.last() != Some(&json!(41)) {
        let said = socket.hear().await?;
        if said["video_id"] == one.id.to_string() {
            seqs.push(said["seq"].clone());
        }
    }
    assert_eq!(seqs, [json!(40), json!(41)]);
    Ok(())
}

#[tokio::test]
async fn a_key_is_wanted_here_too() -> anyhow::Result<()> {
    let stage = Stage::with(Options { key: true, ..Options::default() }).await?;
    let mut socket = Socket::open(&stage, "").await?;
    socket.say(&json!({ "op": "subscribe", "all": true })).await?;
    assert_eq!(socket.closed().await?, Some(4401));
    let mut socket = Socket::open(&stage, "").await?;
    socket.say(&json!({ "op": "auth", "key": KEY })).await?;
    begin(&mut socket, None).await?;
    Ok(())
}
