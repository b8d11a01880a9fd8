//! `POST /upload/video/{id}/complete`.

use expect_test::expect;
use reelpin_schema::queue::Heard;
use reelpin_schema::task::Kind;
use reelpin_schema::video;
use serde_json::json;
use uuid::Uuid;

use crate::scaffold::{Film, MP4, Options, Stage, id_of};

#[tokio::test]
async fn a_finished_upload_becomes_uploaded_and_wakes_workers() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let (mut tasks, mut status) = (stage.queue.task_hints(), stage.queue.status_hints());
    let film = Film::uploaded(&stage).await?;
    assert_eq!(stage.status(film.id).await?, "uploaded");
    assert!(matches!(tasks.next().await, Heard::Hint(_)));
    assert!(matches!(status.next().await, Heard::Hint(hint) if hint.video_id == film.id));
    let events = stage.get(&film.path("/events")).await?.json()?;
    assert_eq!(events["events"][0]["name"], "uploaded");
    assert_eq!(events["events"][0]["data"], json!({ "file_size": MP4.len() }));
    film.claim(Kind::Probe).await?;
    Ok(())
}

#[tokio::test]
async fn repeated_it_changes_nothing() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::uploaded(&stage).await?;
    let path = format!("/upload/video/{}/complete", film.id);
    let (one, two) = tokio::join!(stage.post(&path), stage.post(&path));
    assert_eq!((one?.status, two?.status), (200, 200));
    let events = stage.get(&film.path("/events")).await?.json()?;
    assert_eq!(events["events"].as_array().map(Vec::len), Some(1));
    Ok(())
}

#[tokio::test]
async fn the_address_takes_exactly_the_declared_file_and_once() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let ticket = stage.ticket("a.mp4", MP4.len()).await?;
    let complete = format!("/upload/video/{}/complete", id_of(&ticket)?);
    let mut table = format!("nothing there: {}\n", stage.post(&complete).await?.problem());
    let longer = [MP4, b"x"].concat();
    for (what, bytes) in [("longer", longer.as_slice()), ("shorter", &MP4[1..]), ("right", MP4)] {
        table.push_str(&format!("{what}: {}\n", stage.put(&ticket, bytes).await?));
    }
    table.push_str(&format!("again: {}\n", stage.put(&ticket, MP4).await?));
    table.push_str(&format!("complete: {}\n", stage.post(&complete).await?.status));
    expect![[r#"
        nothing there: 409 upload_missing: Nothing is stored for this upload yet. | PUT the file to the ticket's address, then call complete again.
        longer: 403
        shorter: 403
        right: 200
        again: 412
        complete: 200
    "#]]
    .assert_eq(&table);
    Ok(())
}

#[tokio::test]
async fn another_size_is_refused_and_can_be_put_right() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let ticket = stage.ticket("a.mp4", MP4.len()).await?;
    let complete = format!("/upload/video/{}/complete", id_of(&ticket)?);
    // An engine that does not check the signed length.
    let path = ticket["s3_path"].as_str().unwrap_or_default();
    stage.bucket.client.put(path, bytes::Bytes::from_static(b"ftyp"), "video/mp4").await?;
    expect!["409 size_mismatch: The ticket is for 24 bytes, and 4 are stored. | Upload the declared file, or ask for a new ticket."]
        .assert_eq(&stage.post(&complete).await?.problem());
    assert_eq!(stage.put(&ticket, MP4).await?, 200);
    assert_eq!(stage.post(&complete).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn what_is_no_video_fails() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let text = b"%PDF-1.7 this is no video";
    let ticket = stage.ticket("a.mp4", text.len()).await?;
    let id = id_of(&ticket)?;
    stage.put(&ticket, text).await?;
    let complete = format!("/upload/video/{id}/complete");
    for _ in 0..2 {
        expect!["422 not_a_video: The file is not a video or audio file that Reelpin knows. | Upload a video, such as MP4, MOV, MKV or WebM."]
            .assert_eq(&stage.post(&complete).await?.problem());
    }
    let record = stage.record(id).await?;
    assert_eq!(record["upload_status"], "failed");
    assert_eq!(record["error"]["code"], "not_a_video");
    assert_eq!(stage.post(&format!("/video/{id}/retry")).await?.code(), "409 nothing_to_retry");
    Ok(())
}

#[tokio::test]
async fn what_ended_stays_ended() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut table = String::new();
    for end in ["cancel", "delete", "never"] {
        let film = Film::pending(&stage).await?;
        match end {
            "cancel" => drop(stage.post(&film.path("/cancel")).await?),
            "delete" => drop(stage.delete(&film.path("")).await?),
            _ => {}
        }
        let id = if end == "never" { Uuid::nil() } else { film.id };
        let said = stage.post(&format!("/upload/video/{id}/complete")).await?;
        table.push_str(&format!("{end}: {}\n", said.problem()));
    }
    let said = stage.post("/upload/video/nonsense/complete").await?;
    table.push_str(&format!("nonsense: {}\n", said.problem()));
    expect![[r#"
        cancel: 409 video_ended: The video is cancelled. | Ask for a new ticket and upload the file again.
        delete: 410 video_deleted: This video was deleted. | Upload it again if you still have the file.
        never: 404 video_not_found: There is no video with this id. | Check the address; the list of videos has every id.
        nonsense: 404 video_not_found: There is no video with this id. | Check the address; the list of videos has every id.
    "#]]
    .assert_eq(&table);
    Ok(())
}

#[tokio::test]
async fn where_an_address_can_replace_the_upload_it_is_copied_first() -> anyhow::Result<()> {
    let stage = Stage::with(Options { copies: true, ..Options::default() }).await?;
    let ticket = stage.ticket("a.mp4", MP4.len()).await?;
    let id = id_of(&ticket)?;
    assert_eq!(stage.put(&ticket, MP4).await?, 200);
    assert_eq!(stage.post(&format!("/upload/video/{id}/complete")).await?.status, 200);
    let other = MP4.to_ascii_uppercase();
    assert_eq!(stage.put(&ticket, &other).await?, 200);
    let row = stage.db.run_tx("test", async move |tx| video::get(tx, id).await).await?;
    let path = row.map(|row| row.file_path).unwrap_or_default();
    assert_ne!(Some(path.as_str()), ticket["s3_path"].as_str());
    assert_eq!(stage.bucket.client.get_bytes(&path, 1000).await?, MP4);
    Ok(())
}

#[tokio::test]
async fn the_engine_tells_whether_it_honours_if_none_match() -> anyhow::Result<()> {
    let bucket = reelpin_testing::bucket().await?;
    assert!(bucket.client.honours_once().await?);
    assert!(bucket.client.list("scratch/", None).await?.is_empty());
    Ok(())
}
