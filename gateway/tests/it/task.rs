//! Dead letters: the operator's list, and another try.

use expect_test::expect;
use reelpin_schema::db::{DbError, Tx};
use reelpin_schema::file::{NewFile, Role};
use reelpin_schema::pin;
use reelpin_schema::task::{self, Kind, NewTask};
use reelpin_schema::video::{self, Postered, Republished};
use serde_json::{Value, json};

use crate::scaffold::{Film, Options, Stage};

#[tokio::test]
async fn what_was_given_up_is_listed_and_tried_again() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    assert_eq!(stage.get("/tasks").await?.json()?["tasks"], serde_json::json!([]));
    assert_eq!(stage.post(&film.path("/retry")).await?.code(), "409 nothing_to_retry");
    film.kill(Kind::Poster).await?;

    let mut listed = stage.get("/tasks?state=dead").await?.json()?;
    let task = &mut listed["tasks"][0];
    assert_eq!(task["video_id"], film.id.to_string());
    assert!(task["ended_at"].is_string());
    task["video_id"] = Value::Null;
    task["ended_at"] = Value::Null;
    expect![[r#"
        {
          "next_cursor": null,
          "tasks": [
            {
              "attempts": 5,
              "cause": "the test wants it so",
              "ended_at": null,
              "failure": null,
              "kind": "poster",
              "place": 0,
              "video_id": null,
              "worker": "test"
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&listed)?);

    let retried = stage.post(&film.path("/retry")).await?;
    assert_eq!(retried.json()?["upload_status"], "completed");
    assert_eq!(stage.get("/tasks").await?.json()?["tasks"], serde_json::json!([]));
    assert_eq!(stage.post(&film.path("/retry")).await?.code(), "409 nothing_to_retry");
    film.claim(Kind::Poster).await?;
    let events = stage.get(&film.path("/events")).await?.json()?;
    let last = events["events"].as_array().and_then(|all| all.last()).cloned().unwrap_or_default();
    assert_eq!(last["name"], "retried");
    Ok(())
}

#[tokio::test]
async fn a_pin_that_was_given_up_is_queued_again() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    film.kill(Kind::Pin).await?;
    stage
        .sql("UPDATE pins SET state = 'failed' WHERE role = 'published' AND video_id = $1", film.id)
        .await?;
    stage.post(&film.path("/retry")).await?;
    let record = stage.record(film.id).await?;
    let states: Vec<&Value> =
        record["pins"].as_array().into_iter().flatten().map(|pin| &pin["state"]).collect();
    assert_eq!(states, ["queued", "queued"]);
    Ok(())
}

#[tokio::test]
async fn a_folder_that_is_published_anew_is_pinned_before_the_old_one_goes() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    let id = film.id;
    let enqueue = async move |tx: &Tx| task::enqueue(tx, id, &NewTask::of(Kind::Poster)).await;
    stage.db.run_tx("test.poster", enqueue).await?;
    let poster = film.claim(Kind::Poster).await?;
    let pinning = film.claim(Kind::Pin).await?;
    assert_eq!(pinning.place(), pin::Role::Published.place());
    let file = NewFile {
        role: Role::Poster,
        path: format!("{}poster-0000aa.jpg", reelpin_schema::keys::media(id)),
        cid: "bafynew".to_owned(),
        size: 1,
    };
    let (lease, made) = (poster.clone(), file.clone());
    let step = async move |tx: &Tx| video::postered(tx, &lease, &made).await;
    let postered = stage.db.run_tx("test.postered", step).await?;
    assert_eq!(postered, Postered::Published { root_cid: "bafyroot".to_owned() });

    let new = Republished {
        was: "bafyroot".to_owned(),
        root_cid: "bafyother".to_owned(),
        file,
        pins: Vec::new(),
    };
    let step = async move |tx: &Tx| video::republished(tx, &poster, &new).await;
    stage.db.run_tx("test.republished", step).await?;
    let record = stage.record(id).await?;
    assert_eq!(record["root_cid"], "bafyother");
    assert_eq!(
        record["pins"][0],
        json!({ "target": "node", "cid": "bafyother", "state": "queued" })
    );
    let guard = async move |tx: &Tx| task::guard(tx, &pinning).await;
    let late = stage.db.run_tx("test.late", guard).await;
    assert!(matches!(late, Err(DbError::LeaseLost)), "a worker records the old folder");
    let again = film.claim(Kind::Pin).await?;
    assert_eq!(again.place(), 0);
    let pins = stage.db.run_tx("test.pins", async move |tx| pin::of_video(tx, id).await).await?;
    let folder = pins.into_iter().find(|pin| pin.role == pin::Role::Published);
    assert_eq!(folder.and_then(|pin| pin.replaces).as_deref(), Some("bafyroot"));
    Ok(())
}

#[tokio::test]
async fn the_list_comes_in_pages_and_to_operators_only() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut films = Vec::new();
    for _ in 0..3 {
        let film = Film::uploaded(&stage).await?;
        film.kill(Kind::Poster).await?;
        films.push(film.id.to_string());
    }
    let mut found = Vec::new();
    let mut path = "/tasks?limit=2".to_owned();
    loop {
        let page = stage.get(&path).await?.json()?;
        for task in page["tasks"].as_array().into_iter().flatten() {
            found.push(task["video_id"].as_str().unwrap_or_default().to_owned());
        }
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/tasks?limit=2&cursor={cursor}");
    }
    films.reverse();
    assert_eq!(found, films);
    assert_eq!(stage.get("/tasks?limit=0").await?.code(), "400 bad_query");
    assert_eq!(stage.get("/tasks?state=done").await?.code(), "400 bad_query");
    assert_eq!(stage.get("/tasks?cursor=x").await?.code(), "400 bad_cursor");

    let locked = Stage::with(Options { key: true, ..Options::default() }).await?;
    assert_eq!(locked.get("/tasks").await?.code(), "401 unauthorized");
    Ok(())
}
