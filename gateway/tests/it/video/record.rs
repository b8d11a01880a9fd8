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
    expect![[r#"
        {
          "checksum": "c0ffee",
          "created_at": "TIME",
          "description": "",
          "duration": 5.0,
          "error": null,
          "file_size": 24,
          "filename": "A film.mp4",
          "frame_rate": "24/1",
          "height": 480,
          "id": "ID",
          "ipfs_cid": "bafyoriginal",
          "pins": [
            {
              "cid": "bafyoriginal",
              "state": "queued",
              "target": "node"
            }
          ],
          "playback": {},
          "renditions": [
            {
              "format": "hls",
              "height": 480,
              "id": "ID",
              "resolution": "480p",
              "type": "transcode",
              "width": 854
            },
            {
              "format": "hls",
              "id": "ID",
              "resolution": "audio",
              "type": "transcode"
            }
          ],
          "title": "A film",
          "updated_at": "TIME",
          "upload_status": "processing",
          "why_audio_not_copied": "its profile is unknown, and only AAC-LC plays everywhere",
          "why_not_copied": "the file is no MP4 that tells exactly when its frames are shown",
          "width": 854
        }"#]]
    .assert_eq(&redacted(&stage, &film, stage.record(film.id).await?)?);
    let film = Film::completed(&stage).await?;
    expect![[r#"
        {
          "checksum": "c0ffee",
          "created_at": "TIME",
          "description": "",
          "duration": 5.0,
          "error": null,
          "file_size": 24,
          "filename": "A film.mp4",
          "frame_rate": "24/1",
          "height": 480,
          "id": "ID",
          "ipfs_cid": "bafyoriginal",
          "pins": [
            {
              "cid": "bafyroot",
              "state": "queued",
              "target": "node"
            },
            {
              "cid": "bafyoriginal",
              "state": "queued",
              "target": "node"
            }
          ],
          "playback": {
            "hls": "URL/video/ID/hls/master.m3u8",
            "ipfs": "ipfs://bafyroot/master.m3u8",
            "poster": "URL/video/ID/poster"
          },
          "renditions": [
            {
              "bitrate": 700000,
              "cid": "bafyindex480p",
              "codec": "avc1.64001e",
              "format": "hls",
              "height": 480,
              "id": "ID",
              "peak_bitrate": 900000,
              "resolution": "480p",
              "size": 3000,
              "type": "transcode",
              "url": "URL/video/ID/hls/480p/index-a1b2c3.m3u8",
              "width": 854
            },
            {
              "bitrate": 700000,
              "cid": "bafyindexaudio",
              "codec": "mp4a.40.2",
              "format": "hls",
              "id": "ID",
              "peak_bitrate": 900000,
              "resolution": "audio",
              "size": 3000,
              "type": "transcode",
              "url": "URL/video/ID/hls/audio/index-a1b2c3.m3u8"
            },
            {
              "bitrate": 800000,
              "cid": "bafymp4",
              "codec": "avc1.64001e,mp4a.40.2",
              "format": "mp4",
              "height": 480,
              "id": "ID",
              "peak_bitrate": 1000000,
              "resolution": "480p",
              "size": 200000,
              "type": "transcode",
              "url": "URL/video/ID/mp4/480p",
              "width": 854
            }
          ],
          "root_cid": "bafyroot",
          "title": "A film",
          "updated_at": "TIME",
          "upload_status": "completed",
          "why_audio_not_copied": "its profile is unknown, and only AAC-LC plays everywhere",
          "why_not_copied": "the file is no MP4 that tells exactly when its frames are shown",
          "width": 854
        }"#]]
    .assert_eq(&redacted(&stage, &film, stage.record(film.id).await?)?);
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
        "playable" {}
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
    expect![[r#"
        "processing" 0 {"480p":0}
        "processing" 16 {"480p":33}
        "processing" 50 {"480p":100}
        "playable" 99 {"480p":100}
        {"video_id":"ID","upload_status":"completed","percent":100,"rungs":{"480p":100},"pins":[{"target":"node","state":"queued","cid":"bafyroot"},{"target":"node","state":"queued","cid":"bafyoriginal"}],"error":null}"#]].assert_eq(&table);
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
    expect![[r#"

        1 "uploaded" {"file_size":24}
        2 "probed" {"duration":5.0,"height":480,"width":854}
        3 "planned" {"audio":true,"rungs":["480p"]}
        4 "playable" {}
        5 "completed" {}
        6 "published" {"root_cid":"bafyroot"}
        ?since=5
        6 "published" {"root_cid":"bafyroot"}
        ?since=99
        400 bad_query"#]]
    .assert_eq(&table);
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
    expect![[r#"

        {"cid":"bafy480p0","duration":2.0,"resolution":"480p","sequence":0,"size":17,"url":"URL/video/ID/hls/480p/00000-a1b2c3.m4s"}
        {"cid":"bafyaudio0","duration":2.0,"resolution":"audio","sequence":0,"size":18,"url":"URL/video/ID/hls/audio/00000-a1b2c3.m4s"}
        {"cid":"bafy480p1","duration":2.0,"resolution":"480p","sequence":1,"size":17,"url":"URL/video/ID/hls/480p/00001-a1b2c3.m4s"}
        {"cid":"bafyaudio1","duration":2.0,"resolution":"audio","sequence":1,"size":18,"url":"URL/video/ID/hls/audio/00001-a1b2c3.m4s"}
        {"cid":"bafy480p2","duration":1.0,"resolution":"480p","sequence":2,"size":17,"url":"URL/video/ID/hls/480p/00002-a1b2c3.m4s"}
        {"cid":"bafyaudio2","duration":1.0,"resolution":"audio","sequence":2,"size":18,"url":"URL/video/ID/hls/audio/00002-a1b2c3.m4s"}
        ?resolution=480p&from=1
        {"cid":"bafy480p1","duration":2.0,"resolution":"480p","sequence":1,"size":17,"url":"URL/video/ID/hls/480p/00001-a1b2c3.m4s"}
        {"cid":"bafy480p2","duration":1.0,"resolution":"480p","sequence":2,"size":17,"url":"URL/video/ID/hls/480p/00002-a1b2c3.m4s"}
        ?resolution=480p&limit=1
        {"cid":"bafy480p0","duration":2.0,"resolution":"480p","sequence":0,"size":17,"url":"URL/video/ID/hls/480p/00000-a1b2c3.m4s"}
        ?resolution=9p
    "#]].assert_eq(&table);
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
