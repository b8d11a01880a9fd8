//! PATCH, cancel, retry and DELETE: what each answers in each state.

use std::fmt::Write as _;

use expect_test::expect;
use reelpin_schema::failure::Failure;
use reelpin_schema::task::Kind;
use reelpin_schema::video;
use serde_json::{Value, json};

use crate::scaffold::{Film, Stage};

/// A film in each state that a video can be in.
async fn in_state<'a>(stage: &'a Stage, state: &str) -> anyhow::Result<Film<'a>> {
    Ok(match state {
        "pending" => Film::pending(stage).await?,
        "uploaded" => Film::uploaded(stage).await?,
        "processing" => Film::planned(stage).await?,
        "playable" => Film::playable(stage).await?,
        "completed" => Film::completed(stage).await?,
        "failed" => {
            let film = Film::planned(stage).await?;
            let id = film.id;
            let step = async move |tx: &reelpin_schema::db::Tx| {
                video::fail(tx, id, &Failure::internal()).await
            };
            stage.db.run_tx("test.fail", step).await?;
            film
        }
        "cancelled" => {
            let film = Film::uploaded(stage).await?;
            stage.post(&film.path("/cancel")).await?;
            film
        }
        _ => {
            let film = Film::uploaded(stage).await?;
            stage.delete(&film.path("")).await?;
            film
        }
    })
}

#[tokio::test]
async fn each_state_has_its_answer() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut table = String::new();
    for state in [
        "pending",
        "uploaded",
        "processing",
        "playable",
        "completed",
        "failed",
        "cancelled",
        "deleted",
    ] {
        write!(table, "{state:10}")?;
        for act in ["cancel", "retry", "delete"] {
            let film = in_state(&stage, state).await?;
            let said = match act {
                "delete" => stage.delete(&film.path("")).await?,
                _ => stage.post(&film.path(&format!("/{act}"))).await?,
            };
            let word = match said.status {
                200 => said.json()?["upload_status"].as_str().unwrap_or_default().to_owned(),
                202 => "202".to_owned(),
                _ => said.code(),
            };
            write!(table, " | {act}: {word}")?;
        }
        table.push('\n');
    }
    expect![[r#"
        pending    | cancel: cancelled | retry: 409 nothing_to_retry | delete: 202
        uploaded   | cancel: cancelled | retry: 409 nothing_to_retry | delete: 202
        processing | cancel: cancelled | retry: 409 nothing_to_retry | delete: 202
        playable   | cancel: cancelled | retry: 409 nothing_to_retry | delete: 202
        completed  | cancel: 409 nothing_to_cancel | retry: 409 nothing_to_retry | delete: 202
        failed     | cancel: 409 nothing_to_cancel | retry: processing | delete: 202
        cancelled  | cancel: cancelled | retry: uploaded | delete: 202
        deleted    | cancel: 410 video_deleted | retry: 410 video_deleted | delete: 410 video_deleted
    "#]]
    .assert_eq(&table);
    Ok(())
}

#[tokio::test]
async fn cancelled_work_is_taken_from_workers_and_comes_back_by_retry() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::uploaded(&stage).await?;
    stage.post(&film.path("/cancel")).await?;
    assert!(film.claim(Kind::Probe).await.is_err());
    stage.post(&film.path("/retry")).await?;
    film.claim(Kind::Probe).await?;
    let events = stage.get(&film.path("/events")).await?.json()?;
    let names: Vec<&Value> =
        events["events"].as_array().into_iter().flatten().map(|event| &event["name"]).collect();
    assert_eq!(names, ["uploaded", "cancelled", "retried"]);
    Ok(())
}

#[tokio::test]
async fn nothing_uploaded_is_nothing_to_retry() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::pending(&stage).await?;
    stage.post(&film.path("/cancel")).await?;
    expect![
        "409 nothing_to_retry: There is no stored file that could be tried again. | Upload the file again."
    ]
    .assert_eq(&stage.post(&film.path("/retry")).await?.problem());
    Ok(())
}

#[tokio::test]
async fn what_is_deleted_is_gone_at_once() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    assert_eq!(stage.get(&film.path("/hls/480p/00000-a1b2c3.m4s")).await?.status, 200);
    assert_eq!(stage.delete(&film.path("")).await?.status, 202);
    for rest in [
        "",
        "/progress",
        "/events",
        "/segments",
        "/poster",
        "/mp4/480p",
        "/hls/master.m3u8",
        "/hls/live.m3u8",
        "/hls/480p/live.m3u8",
        "/hls/480p/00000-a1b2c3.m4s",
    ] {
        assert_eq!(stage.get(&film.path(rest)).await?.code(), "410 video_deleted", "{rest}");
    }
    film.claim(Kind::Delete).await?;
    Ok(())
}

#[tokio::test]
async fn patch_changes_what_it_names() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::pending(&stage).await?;
    let mut table = String::new();
    for change in [
        json!({ "title": " New\u{7} name " }),
        json!({ "description": "Two\nlines" }),
        json!({}),
        json!({ "title": "Both", "description": "" }),
        json!({ "title": " " }),
        json!({ "title": "t".repeat(201) }),
        json!({ "description": "d".repeat(5001) }),
        json!({ "title": 5 }),
    ] {
        let said = stage.patch(&film.path(""), &change).await?;
        match said.status {
            200 => {
                let record = said.json()?;
                writeln!(table, "{} {}", record["title"], record["description"])?;
            }
            _ => writeln!(table, "{}", said.problem())?,
        }
    }
    stage.delete(&film.path("")).await?;
    writeln!(table, "{}", stage.patch(&film.path(""), &json!({ "title": "x" })).await?.code())?;
    let never = format!("/video/{}", uuid::Uuid::nil());
    writeln!(table, "{}", stage.patch(&never, &json!({ "title": "x" })).await?.code())?;
    expect![[r#"
        "New name" ""
        "New name" "Two\nlines"
        "New name" "Two\nlines"
        "Both" ""
        400 bad_field: title is empty. | Correct the field and send it again.
        400 bad_field: title has 201 characters, more than 200. | Correct the field and send it again.
        400 bad_field: description has 5001 characters, more than 5000. | Correct the field and send it again.
        400 bad_json: The JSON cannot be used: invalid type: integer `5`, expected a string at line 1 column 10. | Correct the request; /openapi.json describes it.
        410 video_deleted
        404 video_not_found
    "#]].assert_eq(&table);
    Ok(())
}
