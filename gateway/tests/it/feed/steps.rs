//! Relay, hub and sessions as a scheduler drives them: no task, no timer, no socket.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use reelpin_gateway::Engines;
use reelpin_gateway::steps::feed::{Close, Hub, Out, Session, Utf8Bytes};
use reelpin_gateway::steps::{NewUpload, Relay, Ticket, ticket};
use reelpin_schema::ambient::Ambient;
use reelpin_schema::db::Tx;
use reelpin_schema::event::{self, Event};
use reelpin_schema::queue::{Heard, Hints, Message, Publish, Queue, StatusHint};
use serde_json::Value;
use uuid::Uuid;

/// Where messages go here.
#[derive(Default)]
struct Heap(Vec<Value>);

impl Out for Heap {
    async fn send(&mut self, text: Utf8Bytes) -> Result<(), Close> {
        self.0.push(serde_json::from_str(&text).unwrap_or_default());
        Ok(())
    }
}

struct Stage {
    engines: Engines,
    _bucket: reelpin_testing::TestBucket,
}

impl Stage {
    async fn new() -> anyhow::Result<Self> {
        let bucket = reelpin_testing::bucket().await?;
        let engines = Engines {
            services: Default::default(),
            db: reelpin_testing::database().await?,
            bucket: bucket.client.clone(),
            queue: Queue::in_process(),
            node: None,
            ambient: Ambient::system(),
            upload_once: true,
            own_node: false,
        };
        Ok(Self { engines, _bucket: bucket })
    }

    async fn video(&self) -> anyhow::Result<Uuid> {
        let upload = NewUpload {
            filename: "film.mp4".to_owned(),
            file_size: 7,
            title: "film".to_owned(),
            description: String::new(),
        };
        let Ticket { video_id, .. } = ticket(&self.engines, upload).await?;
        Ok(video_id)
    }

    async fn announce(&self, id: Uuid) -> anyhow::Result<()> {
        let rung = Event::RungCompleted { resolution: "480p".to_owned() };
        let step = async move |tx: &Tx| event::append(tx, id, &rung).await;
        self.engines.db.run_tx("test.event", step).await?;
        Ok(())
    }

    async fn join(&self, hub: &Hub) -> anyhow::Result<Session<Heap>> {
        let seat = hub.handle().join().await.map_err(|close| anyhow::anyhow!("{close:?}"))?;
        Ok(Session::new(self.engines.db.clone(), seat, Heap::default()))
    }
}

/// Hands the hub every hint that waits, up to the mark that is published last.
async fn deliver(
    queue: &Queue,
    hints: &mut Hints<StatusHint>,
    hub: &mut Hub,
) -> anyhow::Result<()> {
    queue.video_changed(Uuid::nil()).await;
    loop {
        match hints.next().await {
            Heard::Hint(hint) if hint.video_id.is_nil() => return Ok(()),
            Heard::Hint(hint) => hub.hear(&hint),
            other => anyhow::bail!("{other:?}"),
        }
    }
}

fn ok<T>(done: Result<T, Close>) -> anyhow::Result<T> {
    done.map_err(|close| anyhow::anyhow!("{close:?}"))
}

fn seqs(said: &[Value]) -> Vec<i64> {
    said.iter().filter(|said| said["type"] == "event").filter_map(|e| e["seq"].as_i64()).collect()
}

fn cursor(said: &[Value]) -> Option<&str> {
    said.iter().rev().find_map(|said| said["cursor"].as_str())
}

#[tokio::test]
async fn a_session_that_falls_behind_reads_the_rest_itself() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let id = stage.video().await?;
    let mut relay = Relay::new(&stage.engines);
    let mut hub = Hub::new(stage.engines.db.clone());
    let (mut slow, mut quick) = (stage.join(&hub).await?, stage.join(&hub).await?);
    ok(slow.subscribe_all(None).await)?;
    ok(quick.subscribe_all(None).await)?;
    let mut quick_heard = 0;
    for _ in 0..300 {
        stage.announce(id).await?;
        assert_eq!(relay.round().await?.numbered, 1);
        hub.doubt();
        hub.round().await?;
        quick_heard += ok(quick.pass_on_waiting().await)?;
    }
    assert!(quick_heard >= 299, "{quick_heard}");
    let first = ok(slow.pass_on_waiting().await)?;
    assert!(first < 300, "everything found a place");
    assert!(ok(slow.pass_on_waiting().await)? == 0);
    hub.doubt();
    hub.round().await?;
    assert_eq!(ok(slow.pass_on_waiting().await)?, 1);
    let wanted: Vec<i64> = (1..=300).collect();
    assert_eq!(seqs(&slow.leave().await.0), wanted);
    assert_eq!(seqs(&quick.leave().await.0), wanted);
    Ok(())
}

#[tokio::test]
async fn hints_wake_the_hub_and_a_killed_gateway_loses_nothing() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let (one, two) = (stage.video().await?, stage.video().await?);
    let mut hints = stage.engines.queue.status_hints();
    let mut relay = Relay::new(&stage.engines);
    let mut hub = Hub::new(stage.engines.db.clone());
    let mut all = stage.join(&hub).await?;
    let mut named = stage.join(&hub).await?;
    ok(all.subscribe_all(None).await)?;
    ok(named.subscribe(vec![one], &HashMap::new()).await)?;
    stage.announce(one).await?;
    stage.announce(two).await?;
    let relayed = relay.round().await?;
    assert_eq!((relayed.leading, relayed.numbered, relayed.announced), (true, 2, 2));
    deliver(&stage.engines.queue, &mut hints, &mut hub).await?;
    hub.round().await?;
    ok(all.pass_on_waiting().await)?;
    ok(named.pass_on_waiting().await)?;
    let known = cursor(&all.out().0).map(str::to_owned);
    assert_eq!(seqs(&all.out().0), [1, 1]);
    assert_eq!(seqs(&named.out().0), [1]);
    // The gateway is killed: nothing of it is left, but the rows.
    drop((hub, all, named, relay));
    stage.announce(one).await?;
    let mut relay = Relay::new(&stage.engines);
    assert!(!relay.round().await?.leading, "the lease of the killed one stands for 10 s");
    let expire = async move |tx: &Tx| {
        let until = tx.now() - time::Duration::seconds(1);
        tx.exec("UPDATE leases SET lease_until = $1", &[&until]).await
    };
    stage.engines.db.run_tx("test.expire", expire).await?;
    let relayed = relay.round().await?;
    // What the killed one did not mark is said again.
    assert_eq!((relayed.numbered, relayed.announced), (1, 3));
    assert_eq!(relay.round().await?.announced, 0);
    let hub = Hub::new(stage.engines.db.clone());
    let mut all = stage.join(&hub).await?;
    ok(all.subscribe_all(known.as_deref()).await)?;
    assert_eq!(seqs(&all.leave().await.0), [2]);
    let mut named = stage.join(&hub).await?;
    ok(named.subscribe(vec![one], &HashMap::from([(one, 1)])).await)?;
    assert_eq!(seqs(&named.leave().await.0), [2]);
    Ok(())
}

#[tokio::test]
async fn a_ready_task_is_announced_once_and_another_relay_takes_over() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let id = stage.video().await?;
    let uploaded = async move |tx: &Tx| reelpin_schema::video::uploaded(tx, id, "\"e\"").await;
    stage.engines.db.run_tx("test.uploaded", uploaded).await?;
    let mut relay = Relay::new(&stage.engines);
    let mut announced = Vec::new();
    for _ in 0..3 {
        announced.push(relay.round().await?.announced);
    }
    // The event and its task, once.
    assert_eq!(announced, [2, 0, 0]);
    let mut next = Relay::new(&stage.engines);
    assert!(!next.round().await?.leading);
    relay.retire().await?;
    assert!(next.round().await?.leading);
    Ok(())
}

/// A queue that is away at first.
#[derive(Default)]
struct Away {
    back: AtomicBool,
    said: Mutex<Vec<Message>>,
}

#[async_trait]
impl Publish for Away {
    async fn publish(&self, message: Message) -> bool {
        let back = self.back.load(Ordering::Relaxed);
        if back {
            self.said.lock().unwrap().push(message);
        }
        back
    }
}

#[tokio::test]
async fn what_did_not_go_out_is_said_again_when_the_queue_is_back() -> anyhow::Result<()> {
    let mut stage = Stage::new().await?;
    let away = Arc::new(Away::default());
    stage.engines.queue = Queue::over(away.clone());
    let id = stage.video().await?;
    let uploaded = async move |tx: &Tx| reelpin_schema::video::uploaded(tx, id, "\"e\"").await;
    stage.engines.db.run_tx("test.uploaded", uploaded).await?;
    let mut relay = Relay::new(&stage.engines);
    for _ in 0..3 {
        let relayed = relay.round().await?;
        // Not at once: the queue would be asked in a circle.
        assert!(relayed.leading && relayed.announced == 0 && !relayed.more);
    }
    away.back.store(true, Ordering::Relaxed);
    let announced = [relay.round().await?.announced, relay.round().await?.announced];
    assert_eq!(announced, [2, 0]);
    let said = away.said.lock().unwrap().clone();
    assert!(matches!(said[..], [Message::Status(_), Message::Task(_)]), "{said:?}");
    Ok(())
}

#[tokio::test]
async fn by_name_and_all_each_event_comes_once_at_every_seam() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let (one, two) = (stage.video().await?, stage.video().await?);
    let mut relay = Relay::new(&stage.engines);
    let mut hub = Hub::new(stage.engines.db.clone());
    let mut session = stage.join(&hub).await?;
    ok(session.subscribe(vec![one], &HashMap::new()).await)?;
    // Positioned before all begins, and not heard by name yet.
    stage.announce(one).await?;
    relay.round().await?;
    ok(session.subscribe_all(None).await)?;
    // Stored, and without a position, when it is subscribed to by name.
    stage.announce(two).await?;
    ok(session.subscribe(vec![two], &HashMap::from([(two, 0)])).await)?;
    relay.round().await?;
    hub.doubt();
    hub.round().await?;
    ok(session.pass_on_waiting().await)?;
    // In the order of all.
    stage.announce(two).await?;
    relay.round().await?;
    hub.doubt();
    hub.round().await?;
    ok(session.pass_on_waiting().await)?;
    // Stored, told by name, and without a position when all is left.
    stage.announce(one).await?;
    hub.doubt();
    hub.round().await?;
    ok(session.pass_on_waiting().await)?;
    ok(session.unsubscribe_all().await)?;
    relay.round().await?;
    hub.doubt();
    hub.round().await?;
    ok(session.pass_on_waiting().await)?;
    let heard: Vec<String> = session
        .leave()
        .await
        .0
        .iter()
        .filter(|said| said["type"] == "event")
        .map(|said| {
            let name = if said["video_id"] == one.to_string() { "one" } else { "two" };
            let cursor = if said["cursor"].is_null() { "by name" } else { "in order" };
            format!("{name}.{} {cursor}", said["seq"])
        })
        .collect();
    assert_eq!(heard, ["one.1 by name", "two.1 by name", "two.2 in order", "one.2 by name"]);
    Ok(())
}
