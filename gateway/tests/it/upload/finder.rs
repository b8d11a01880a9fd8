//! Uploads whose sender never says that they are complete.

use expect_test::expect;
use uuid::Uuid;

use crate::scaffold::{Film, MP4, Stage, id_of, until};

const LOOK_NOW: &str = "UPDATE videos SET look_at = now() WHERE id = $1";

async fn becomes(stage: &Stage, id: Uuid, wanted: &str) -> anyhow::Result<()> {
    until(wanted, async || Ok((stage.status(id).await? == wanted).then_some(()))).await
}

#[tokio::test]
async fn are_found() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let ticket = stage.ticket("a.mp4", MP4.len()).await?;
    let id = id_of(&ticket)?;
    stage.put(&ticket, MP4).await?;
    stage.sql(LOOK_NOW, id).await?;
    becomes(&stage, id, "uploaded").await
}

#[tokio::test]
async fn are_looked_at_like_others() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let ticket = stage.ticket("a.mp4", 4).await?;
    let id = id_of(&ticket)?;
    stage.put(&ticket, b"text").await?;
    stage.sql(LOOK_NOW, id).await?;
    becomes(&stage, id, "failed").await?;
    assert_eq!(stage.record(id).await?["error"]["code"], "not_a_video");
    Ok(())
}

#[tokio::test]
async fn expire_a_day_after_their_ticket() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let (early, late) = (Film::pending(&stage).await?.id, Film::pending(&stage).await?.id);
    let age = "UPDATE videos SET look_at = now(), ticket_until = now() - INTERVAL '23 hours' WHERE id = $1";
    stage.sql(age, early).await?;
    let age = "UPDATE videos SET look_at = now(), ticket_until = now() - INTERVAL '25 hours' WHERE id = $1";
    stage.sql(age, late).await?;
    becomes(&stage, late, "failed").await?;
    expect![[r#"
        {
          "code": "upload_expired",
          "detail": "No file arrived within 24 hours after the upload address had expired.",
          "suggestion": "Upload the file again."
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&stage.record(late).await?["error"])?);
    assert_eq!(stage.post(&format!("/video/{late}/retry")).await?.code(), "409 nothing_to_retry");
    until("the early one's look", async || {
        let looked = "SELECT looks FROM videos WHERE id = $1";
        let row = stage.db.run_tx("test", async move |tx| tx.opt(looked, &[&early]).await).await?;
        Ok(row.is_some_and(|row| row.get::<_, i64>("looks") > 0).then_some(()))
    })
    .await?;
    assert_eq!(stage.status(early).await?, "pending");
    Ok(())
}
