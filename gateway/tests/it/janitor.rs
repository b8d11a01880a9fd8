//! The janitor as steps over real engines, in a time that the test sets.

mod node;
mod services;

use bytes::Bytes;
use expect_test::expect;
use reelpin_gateway::Engines;
use reelpin_gateway::steps::{Janitor, Mode, Report};
use reelpin_schema::bucket::Bucket;
use reelpin_schema::db::{Db, DbError};
use reelpin_schema::ipfs::Node;
use reelpin_schema::settings;
use reelpin_schema::task::{self, Kind};
use reelpin_schema::{file, keys, segment, transcode};
use reelpin_testing::Ahead;
use time::Duration;
use uuid::Uuid;

use crate::scaffold::{Film, MP4, Options, Stage, until};
use node::Shelf;

/// A gateway whose janitor is the test's.
async fn stage() -> anyhow::Result<Stage> {
    Stage::with(Options { janitor: settings::Janitor::Off, ..Options::default() }).await
}

struct House {
    engines: Engines,
    clock: Ahead,
    shelf: Shelf,
}

impl House {
    fn of(stage: &Stage) -> Self {
        let (clock, shelf) = (Ahead::default(), Shelf::default());
        let engines = Engines {
            services: Default::default(),
            db: clock.database(&stage.db),
            bucket: stage.bucket.client.clone(),
            queue: stage.queue.clone(),
            node: Some(Node::over(std::sync::Arc::new(shelf.clone()), "shelf")),
            ambient: clock.ambient(),
            upload_once: true,
            own_node: true,
        };
        Self { engines, clock, shelf }
    }

    fn db(&self) -> &Db {
        &self.engines.db
    }

    /// One walk through everything; what went, or would go.
    async fn walk(&self, mode: Mode) -> anyhow::Result<Vec<String>> {
        let mut janitor = Janitor::new(&self.engines, mode).from_the_beginning();
        let mut items = Vec::new();
        loop {
            let Report { items: some, trouble, walked, .. } = janitor.page().await?;
            items.extend(some.iter().map(ToString::to_string));
            if let Some(trouble) = trouble {
                return Err(trouble.into());
            }
            if walked {
                janitor.end().await?;
                return Ok(items);
            }
        }
    }

    /// What a dry janitor says, having changed nothing, and a wet one after it, which must be the
    /// same.
    async fn tidy(&self) -> anyhow::Result<Vec<String>> {
        let before = (everything(self.db()).await?, keys_of(&self.engines.bucket).await?);
        let dry = self.walk(Mode::Dry).await?;
        let after = (everything(self.db()).await?, keys_of(&self.engines.bucket).await?);
        assert_eq!(before, after, "a dry janitor changed something");
        let mut wet = self.walk(Mode::Wet).await?;
        // That follows from letting go of pins.
        wet.retain(|item| !item.starts_with("blocks of"));
        assert_eq!(dry, wet);
        Ok(dry)
    }
}

/// Every row of the tables that a janitor may change, but for what the relay notes there.
async fn everything(db: &Db) -> anyhow::Result<Vec<String>> {
    let rows = db
        .run_tx("test.everything", async move |tx| {
            tx.all(
                "SELECT v::TEXT AS words FROM videos v UNION ALL
                    SELECT (to_jsonb(t) - 'announced_at')::TEXT FROM tasks t
                UNION ALL SELECT a::TEXT FROM attempts a UNION ALL SELECT u::TEXT FROM unpins u
                UNION ALL SELECT l::TEXT FROM leases l WHERE name = 'janitor'
                UNION ALL SELECT p::TEXT FROM pins p ORDER BY words",
                &[],
            )
            .await
        })
        .await?;
    Ok(rows.iter().map(|row| row.get("words")).collect())
}

async fn keys_of(bucket: &Bucket) -> anyhow::Result<Vec<String>> {
    Ok(bucket.list("", None).await?.into_iter().map(|object| object.key).collect())
}

async fn put(stage: &Stage, key: &str) -> anyhow::Result<()> {
    Ok(stage.bucket.client.put(key, Bytes::from_static(b"x"), "video/mp4").await?)
}

/// Ends a film's deletion as a worker would.
async fn finish_deletion(house: &House, film: &Film<'_>) -> anyhow::Result<()> {
    let (lease, id) = (film.claim(Kind::Delete).await?, film.id);
    for prefix in [keys::media(id), keys::originals(id)] {
        let listed = house.engines.bucket.list(&prefix, None).await?;
        let keys: Vec<String> = listed.into_iter().map(|object| object.key).collect();
        house.engines.bucket.delete(&keys).await?;
    }
    house
        .db()
        .run_tx("test.deletion", async move |tx| {
            task::finish(tx, &lease).await?;
            segment::remove(tx, id).await?;
            transcode::remove(tx, id).await?;
            file::remove(tx, id).await
        })
        .await?;
    Ok(())
}

#[tokio::test]
async fn an_object_goes_once_its_attempt_is_settled_and_named_ones_stay() -> anyhow::Result<()> {
    let stage = stage().await?;
    let house = House::of(&stage);
    let film = Film::planned(&stage).await?;
    film.store("480p").await?;
    let before = keys_of(&house.engines.bucket).await?;
    let lease = film.claim(Kind::Package).await?;
    let name = keys::segment("480p", 7, &lease.suffix());
    let orphan = format!("{}{name}", keys::media(film.id));
    put(&stage, &orphan).await?;

    house.clock.pass(Duration::hours(10));
    assert!(house.tidy().await?.is_empty(), "an open attempt may still name it");
    house
        .db()
        .run_tx("test.close", async move |tx| {
            task::give_back(tx, &lease, Duration::ZERO, "test").await
        })
        .await?;
    house.clock.pass(Duration::minutes(50));
    assert!(house.tidy().await?.is_empty(), "its PUT may still be under way");
    house.clock.pass(Duration::minutes(20));
    let went = house.tidy().await?;
    assert_eq!(went, [format!("object {orphan} (1 bytes): its attempt ended without it")]);
    assert_eq!(keys_of(&house.engines.bucket).await?, before);
    assert!(house.tidy().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn uploads_that_never_counted_go_and_those_that_count_stay() -> anyhow::Result<()> {
    let stage = stage().await?;
    let house = House::of(&stage);
    let kept = Film::uploaded(&stage).await?;
    let (late, pending) = (Film::pending(&stage).await?, Film::pending(&stage).await?);
    stage.post(&late.path("/cancel")).await?;
    for film in [&late, &pending] {
        put(&stage, &format!("{}x", keys::originals(film.id))).await?;
    }
    put(&stage, "scratch/trial").await?;
    put(&stage, "media/of/somebody/else").await?;
    put(&stage, &format!("{}x", keys::originals(Uuid::nil()))).await?;
    house.clock.pass(Duration::hours(3));
    assert!(house.tidy().await?.is_empty());
    house.clock.pass(Duration::hours(2));
    let words = |items: Vec<String>| {
        let plain = items.join("\n").replace(&late.id.to_string(), "LATE");
        plain
            .replace(&pending.id.to_string(), "PENDING")
            .replace(&Uuid::nil().to_string(), "NOBODY")
    };
    expect!["object orig/LATE/x (1 bytes): its video had ended before it came"]
        .assert_eq(&words(house.tidy().await?));
    house.clock.pass(Duration::hours(22));
    expect![[r#"
        object orig/NOBODY/x (1 bytes): there is no such video
        object scratch/trial (1 bytes): a trial that was not cleaned up
        awaited upload of PENDING: it did not come within a day after its ticket ended"#]]
    .assert_eq(&words(house.tidy().await?));
    assert_eq!(stage.record(pending.id).await?["error"]["code"], "upload_expired");
    expect!["object orig/PENDING/x (1 bytes): its video had ended before it came"]
        .assert_eq(&words(house.tidy().await?));
    let left = keys_of(&house.engines.bucket).await?;
    assert_eq!(left.len(), 2);
    assert!(left[1].starts_with(&keys::originals(kept.id)) && left[0] == "media/of/somebody/else");
    assert_eq!(stage.bucket.client.get_bytes(&left[1], 100).await?, MP4);
    Ok(())
}

#[tokio::test]
async fn pins_of_a_deleted_video_leave_the_node_at_once_and_for_good() -> anyhow::Result<()> {
    let stage = stage().await?;
    let house = House::of(&stage);
    let film = Film::completed(&stage).await?;
    let id = film.id;
    let [folder, other] = [b"folder".as_slice(), b"other"].map(Shelf::cid);
    let named = folder.to_string();
    house
        .db()
        .run_tx("test.name", async move |tx| {
            tx.exec("DELETE FROM pins WHERE role = 'original'", &[]).await?;
            tx.exec("UPDATE pins SET cid = $2 WHERE video_id = $1", &[&id, &named]).await
        })
        .await?;
    house.shelf.keep(folder);
    house.shelf.keep(other);
    assert!(house.tidy().await?.is_empty());
    stage.delete(&film.path("")).await?;

    let mut janitor = Janitor::new(&house.engines, Mode::Wet);
    house.shelf.fail(true);
    let report = janitor.round().await?;
    assert!(report.trouble.is_some() && report.items.is_empty());
    house.shelf.fail(false);
    janitor.round().await?;
    assert!(house.shelf.keeps(folder), "a call whose answer was lost may still be under way");
    house.clock.pass(Duration::minutes(1));
    janitor.round().await?;
    assert!(!house.shelf.keeps(folder));
    // A worker that was slow.
    house.shelf.keep(folder);
    house.clock.pass(Duration::minutes(4));
    for _ in 0..4 {
        janitor.round().await?;
    }
    assert!(!house.shelf.keeps(folder) && house.shelf.keeps(other));
    assert!(house.shelf.collected() > 0);
    let left = house
        .db()
        .run_tx("test.left", async move |tx| tx.all("SELECT cid FROM unpins", &[]).await)
        .await?;
    assert!(left.is_empty(), "{left:?}");
    Ok(())
}

#[tokio::test]
async fn a_tombstone_stands_for_a_month_and_its_tasks_for_a_week() -> anyhow::Result<()> {
    let stage = stage().await?;
    let house = House::of(&stage);
    let film = Film::completed(&stage).await?;
    stage.delete(&film.path("")).await?;
    let id = film.id;
    house.clock.pass(Duration::days(8));
    let words = |items: Vec<String>| items.join("\n").replace(&id.to_string(), "ID");
    // What is cancelled or done goes, but the deletion itself is still to be done.
    let went = words(house.tidy().await?);
    assert!(went.contains("tasks of ID: they are finished"), "{went}");
    house.clock.pass(Duration::days(30));
    assert_eq!(words(house.tidy().await?), "", "its deletion is not done");
    finish_deletion(&house, &film).await?;
    put(&stage, &format!("{}late", keys::originals(id))).await?;
    until("positions", async || {
        let open = "SELECT 1 FROM events WHERE position IS NULL LIMIT 1";
        let open = stage.db.run_tx("test", async move |tx| tx.opt(open, &[]).await).await?;
        Ok(open.is_none().then_some(()))
    })
    .await?;
    assert_eq!(stage.get(&film.path("")).await?.code(), "410 video_deleted");
    expect![[r#"
        object orig/ID/late (1 bytes): its video was deleted
        tombstone of ID: its video was deleted a month ago"#]]
    .assert_eq(&words(house.walk(Mode::Wet).await?));
    assert_eq!(stage.get(&film.path("")).await?.code(), "404 video_not_found");
    let (last, removed) = house
        .db()
        .run_tx("test.positions", async move |tx| {
            let p = reelpin_schema::event::positions(tx).await?;
            Ok::<_, DbError>((p.last, p.removed))
        })
        .await?;
    assert!(last > 0 && last == removed);
    assert!(house.tidy().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn done_tasks_of_a_completed_video_go_and_dead_ones_stay() -> anyhow::Result<()> {
    let stage = stage().await?;
    let house = House::of(&stage);
    let film = Film::completed(&stage).await?;
    film.kill(Kind::Poster).await?;
    house.clock.pass(Duration::days(6));
    assert!(house.tidy().await?.is_empty());
    house.clock.pass(Duration::days(2));
    let went = house.tidy().await?.join("\n").replace(&film.id.to_string(), "ID");
    expect!["3 tasks of ID: they are finished, and their video ended a week ago"].assert_eq(&went);
    assert_eq!(stage.post(&film.path("/retry")).await?.status, 200);
    film.claim(Kind::Poster).await?;
    Ok(())
}

#[tokio::test]
async fn a_restart_goes_on_where_the_walk_was() -> anyhow::Result<()> {
    let stage = stage().await?;
    let house = House::of(&stage);
    let film = Film::planned(&stage).await?;
    film.store("480p").await?;
    let note = async || {
        let note = "SELECT note FROM leases WHERE name = 'janitor'";
        let row = house.db().run_tx("test", async move |tx| tx.opt(note, &[]).await).await?;
        let note = row.and_then(|row| row.get::<_, Option<String>>("note")).unwrap_or_default();
        anyhow::Ok(note.replace(&film.id.to_string(), "ID"))
    };
    let mut first = Janitor::new(&house.engines, Mode::Wet);
    assert!(first.page().await?.leading);
    assert_eq!(note().await?, "0 media/ID/480p/init-a1b2c3.mp4");
    let mut second = Janitor::new(&house.engines, Mode::Wet);
    assert!(!second.page().await?.leading, "two at once");
    house.clock.pass(Duration::minutes(2));
    assert!(second.page().await?.leading);
    let at = note().await?;
    assert!(at.starts_with("1 orig/ID/"), "{at}");
    assert!(!first.page().await?.leading);
    second.end().await?;
    assert!(first.page().await?.leading, "an end lets the lease go");
    assert_eq!(note().await?, "3 ID");
    Ok(())
}

#[tokio::test]
async fn the_patrol_has_its_own_pace() -> anyhow::Result<()> {
    let stage = stage().await?;
    let house = House::of(&stage);
    let mut janitor = Janitor::new(&house.engines, Mode::Wet);
    assert!(janitor.round().await?.walked);
    assert!(!janitor.round().await?.walked);
    house.clock.pass(Duration::minutes(11));
    assert!(janitor.round().await?.walked);
    Ok(())
}
