//! Pinning services are told what to let go of, each by its own requests.

use reelpin_gateway::steps::{Janitor, Mode, Report};
use reelpin_schema::pin::{self, NewPin, Role};
use reelpin_schema::pinning::{Config, Limits, Services};
use reelpin_schema::secret::Secret;
use reelpin_schema::unpin;
use reelpin_testing::{Mood, PinningService, TOKEN, pinning_service};
use serde_json::json;
use time::Duration;

use super::node::Shelf;
use super::{House, stage};
use crate::scaffold::Film;

fn attic(remote: &PinningService) -> anyhow::Result<Services> {
    let config = Config {
        name: "attic".to_owned(),
        endpoint: remote.endpoint.clone(),
        token: Secret::new(TOKEN),
        original: true,
    };
    Ok(Services::new(&[config], Limits::default())?)
}

/// How many rows tell of something to be let go.
async fn unpins(house: &House) -> anyhow::Result<usize> {
    let rows = house
        .db()
        .run_tx("test.unpins", async move |tx| tx.all("SELECT cid FROM unpins", &[]).await)
        .await?;
    Ok(rows.len())
}

/// A completed video whose folder only the service keeps.
async fn kept(house: &House, film: &Film<'_>, cid: &str) -> anyhow::Result<()> {
    let (id, new) = (film.id, NewPin::at("attic", Role::Published, cid.to_owned()));
    house
        .db()
        .run_tx("test.kept", async move |tx| {
            tx.exec("DELETE FROM pins WHERE video_id = $1", &[&id]).await?;
            pin::insert(tx, id, &new).await
        })
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_deleted_videos_requests_are_removed_and_no_others() -> anyhow::Result<()> {
    let (stage, remote) = (stage().await?, pinning_service().await?);
    let mut house = House::of(&stage);
    house.engines.services = attic(&remote)?;
    let film = Film::completed(&stage).await?;
    let [folder, other] =
        [b"folder".as_slice(), b"other"].map(|bytes| Shelf::cid(bytes).to_string());
    kept(&house, &film, &folder).await?;
    let ours = |cid: &str| json!({ "cid": cid, "name": "reelpin published" });
    remote.add(ours(&folder), "pinned");
    remote.add(ours(&folder), "failed");
    let stay = [
        remote.add(json!({ "cid": folder, "name": "of another program" }), "pinned"),
        remote.add(ours(&other), "pinned"),
    ];
    stage.delete(&film.path("")).await?;

    let mut janitor = Janitor::new(&house.engines, Mode::Wet);
    remote.mood(Mood::Forbids);
    let report = janitor.round().await?;
    assert!(report.trouble.is_some_and(|trouble| trouble.to_string().contains("token")));
    assert_eq!(remote.held().len(), 4);
    remote.mood(Mood::Well);
    house.clock.pass(Duration::minutes(1));
    let report = janitor.round().await?;
    assert_eq!(
        let_go(&report),
        [format!("pin of {folder} at attic: no video that is there needs it")]
    );
    // A request of a worker that was slow.
    remote.add(ours(&folder), "queued");
    house.clock.pass(Duration::minutes(4));
    janitor.round().await?;
    assert_eq!(remote.held().into_iter().map(|held| held.id).collect::<Vec<_>>(), stay);
    assert_eq!(unpins(&house).await?, 0);
    Ok(())
}

#[tokio::test]
async fn what_a_service_without_settings_keeps_is_given_up_after_a_week() -> anyhow::Result<()> {
    let (stage, remote) = (stage().await?, pinning_service().await?);
    let mut house = House::of(&stage);
    let film = Film::completed(&stage).await?;
    let folder = Shelf::cid(b"folder").to_string();
    kept(&house, &film, &folder).await?;
    stage.delete(&film.path("")).await?;
    let mut janitor = Janitor::new(&house.engines, Mode::Wet);
    for _ in 0..2 {
        let report = janitor.round().await?;
        assert!(report.trouble.is_none() && let_go(&report).is_empty());
        house.clock.pass(Duration::try_from(unpin::GONE)? - Duration::minutes(1));
    }
    assert_eq!(unpins(&house).await?, 1, "its time is not over, counted by the first round");
    janitor.round().await?;
    assert_eq!(unpins(&house).await?, 0);
    house.engines.services = attic(&remote)?;
    Janitor::new(&house.engines, Mode::Wet).round().await?;
    assert!(remote.calls().is_empty());
    Ok(())
}

/// What a round says of pins; it also walks through the bucket.
fn let_go(report: &Report) -> Vec<String> {
    let words = report.items.iter().map(ToString::to_string);
    words.filter(|words| words.starts_with("pin of")).collect()
}
