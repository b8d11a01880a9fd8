//! `GET /video/{id}` and what belongs to it.

use std::fmt::Write as _;

use expect_test::expect;
use serde_json::Value;
use uuid::Uuid;

use crate::scaffold::{Film, Options, Stage};

/// The record without what differs from run to run.
fn redacted(stage: &Stage, film: &Film<'_>, mut record: Value) -> anyhow::Result<String> {
    for rendition in record["renditions"].as_array_mut().into_iter().flatten() {
        rendition["id"] = Value::from("ID");
    }
    for name in ["created_at", "updated_at"] {
        record[name] = Value::from("TIME");
    }
    let text = serde_json::to_string_pretty(&record)?;
    Ok(text.replace(&stage.url, "URL").replace(&film.id.to_string(), "ID"))
}

#[tokio::test]
async fn grows_with_the_video() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::planned(&stage).await?;
    expect![[""]].assert_eq(&redacted(&stage, &film, stage.record(film.id).await?)?);
    let film = Film::completed(&stage).await?;
    expect![[""]].assert_eq(&redacted(&stage, &film, stage.record(film.id).await?)?);
    Ok(())
}

#[tokio::test]
async fn names_what_can_be_played() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut table = String::new();
    for film in [Film::uploaded(&stage).await?, Film::playable(&stage).await?] {
        let record = stage.record(film.id).await?;
        writeln!(table, "{} {}", record["upload_status"], record["playback"])?;
        stage.post(&film.path("/cancel")).await?;
        let record = stage.record(film.id).await?;
        writeln!(table, "{} {}", record["upload_status"], record["playback"])?;
        table = table.replace(&film.id.to_string(), "ID").replace(&stage.url, "URL");
    }
    expect![[r#"
        "uploaded" {}
        "cancelled" {}
        "playable" {"hls":"URL/video/ID/hls/live.m3u8"}
        "cancelled" {"hls":"URL/video/ID/hls/live.m3u8"}
    "#]]
    .assert_eq(&table);
    Ok(())
}

#[tokio::test]
async fn through_a_cdn_the_master_has_its_own_name() -> anyhow::Result<()> {
    let media_url = Some("https://cdn.example".to_owned());
    let stage = Stage::with(Options { media_url, ..Options::default() }).await?;
    let film = Film::completed(&stage).await?;
    let playback = stage.record(film.id).await?["playback"].to_string();
    expect![[r#"{"hls":"https://cdn.example/video/ID/hls/master-a1b2c3.m3u8","ipfs":"ipfs://bafyroot/master.m3u8","poster":"https://cdn.example/video/ID/poster"}"#]]
        .assert_eq(&playback.replace(&film.id.to_string(), "ID"));
    Ok(())
}

#[tokio::test]
async fn progress_counts_segments() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::planned(&stage).await?;
    let mut table = String::new();
    let note = async |table: &mut String| -> anyhow::Result<()> {
        let said = stage.get(&film.path("/progress")).await?.json()?;
        writeln!(table, "{} {} {}", said["upload_status"], said["percent"], said["rungs"])?;
        Ok(())
    };
    note(&mut table).await?;
    film.store_segment("480p", 0).await?;
    note(&mut table).await?;
    film.store("480p").await?;
    note(&mut table).await?;
    film.store("audio").await?;
    note(&mut table).await?;
    let film = Film::completed(&stage).await?;
    let said = stage.get(&film.path("/progress")).await?;
    table.push_str(&said.text().replace(&film.id.to_string(), "ID"));
    expect![[""]].assert_eq(&table);
    Ok(())
}

#[tokio::test]
async fn events_are_numbered_without_gaps() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    let mut table = String::new();
    for query in ["", "?since=5", "?since=99"] {
        let said = stage.get(&film.path(&format!("/events{query}"))).await?.json()?;
        let events = said["events"].as_array().cloned().unwrap_or_default();
        writeln!(table, "{query}")?;
        for event in events {
            writeln!(table, "{} {} {}", event["seq"], event["name"], event["data"])?;
        }
    }
    table.push_str(&stage.get(&film.path("/events?since=x")).await?.code());
    expect![[""]].assert_eq(&table);
    Ok(())
}

#[tokio::test]
async fn segments_have_durations_and_content_ids() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::playable(&stage).await?;
    let mut table = String::new();
    for query in ["", "?resolution=480p&from=1", "?resolution=480p&limit=1", "?resolution=9p"] {
        writeln!(table, "{query}")?;
        let said = stage.get(&film.path(&format!("/segments{query}"))).await?.json()?;
        for segment in said["segments"].as_array().into_iter().flatten() {
            writeln!(table, "{segment}")?;
        }
    }
    let table = table.replace(&film.id.to_string(), "ID").replace(&stage.url, "URL");
    expect![[""]].assert_eq(&table);
    assert_eq!(stage.get(&film.path("/segments?limit=0")).await?.code(), "400 bad_query");
    // Every address leads to the segment.
    let said = stage.get(&film.path("/segments")).await?.json()?;
    for segment in said["segments"].as_array().into_iter().flatten() {
        let path = segment["url"].as_str().unwrap_or_default().replace(&stage.url, "");
        let bytes = stage.get(&path).await?.body;
        assert_eq!(segment["size"], bytes.len());
    }
    Ok(())
}

#[tokio::test]
async fn who_is_not_there_is_404() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    for id in [Uuid::now_v7().to_string(), "x".to_owned(), "%00".to_owned()] {
        for rest in
            ["", "/progress", "/events", "/segments", "/poster", "/mp4/480p", "/hls/live.m3u8"]
        {
            let said = stage.get(&format!("/video/{id}{rest}")).await?;
            assert_eq!(said.code(), "404 video_not_found", "{id}{rest}");
        }
    }
    Ok(())
}
