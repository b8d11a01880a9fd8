//! Who hears what.

use anyhow::{Context as _, ensure};
use reelpin_schema::queue::Heard;
use uuid::Uuid;

use super::stand::{Stand, over};
use super::{NEVER, SOON, hint};

over!(
    both: a_worker_hears_of_a_task, every_feed_hears_every_change, whoever_is_busy_takes_no_hint,
        the_relay_takes_no_workers_hint;
    pulsar: one_hint_goes_to_one_worker
);

async fn a_worker_hears_of_a_task(stand: Stand) -> anyhow::Result<()> {
    let (gateway, worker) = (stand.process(), stand.process());
    let mut hints = worker.task_hints();
    ensure!(gateway.task_ready().await);
    ensure!(hint(&mut hints, SOON).await.is_some());
    Ok(())
}

async fn every_feed_hears_every_change(stand: Stand) -> anyhow::Result<()> {
    let (worker, gateways) = (stand.process(), [stand.process(), stand.process()]);
    // Two listeners in each process.
    let mut feeds: Vec<_> = gateways.iter().chain(&gateways).map(|g| g.status_hints()).collect();
    if matches!(stand, Stand::Pulsar(_)) {
        for feed in &mut feeds {
            // It says when it begins to hear.
            let first = tokio::time::timeout(SOON, feed.next()).await.context("no beginning")?;
            ensure!(first == Heard::Missed, "{first:?}");
        }
    }
    let videos: Vec<Uuid> = (0..20).map(|_| Uuid::new_v4()).collect();
    for (position, video) in videos.iter().enumerate() {
        ensure!(worker.video_changed(*video).await);
        ensure!(worker.positioned(*video, i64::try_from(position)?).await);
    }
    for feed in &mut feeds {
        for (position, video) in videos.iter().enumerate() {
            let changed = hint(feed, SOON).await.context("a change was not heard")?;
            ensure!((changed.video_id, changed.position) == (*video, None));
            let positioned = hint(feed, SOON).await.context("a position was not heard")?;
            ensure!(positioned.video_id == *video);
            ensure!(positioned.position == Some(i64::try_from(position)?));
        }
    }
    Ok(())
}

/// The busy worker has dropped its hints, so that they go to others, and listens again later.
async fn whoever_is_busy_takes_no_hint(stand: Stand) -> anyhow::Result<()> {
    let (gateway, busy, idle) = (stand.process(), stand.process(), stand.process());
    let mut first = busy.task_hints();
    ensure!(gateway.task_ready().await);
    ensure!(hint(&mut first, SOON).await.is_some());
    drop(first);
    let mut hints = idle.task_hints();
    for n in 0..30 {
        ensure!(gateway.task_ready().await);
        ensure!(hint(&mut hints, SOON).await.is_some(), "hint {n} went to one who is busy");
    }
    drop(hints);
    let mut again = busy.task_hints();
    ensure!(gateway.task_ready().await);
    ensure!(hint(&mut again, SOON).await.is_some());
    Ok(())
}

async fn the_relay_takes_no_workers_hint(stand: Stand) -> anyhow::Result<()> {
    let (gateway, worker) = (stand.process(), stand.process());
    let mut relay = gateway.own_task_hints();
    let mut hints = worker.task_hints();
    for _ in 0..5 {
        ensure!(gateway.task_ready().await);
    }
    for _ in 0..5 {
        ensure!(hint(&mut relay, SOON).await.is_some());
        ensure!(hint(&mut hints, SOON).await.is_some());
    }
    Ok(())
}

async fn one_hint_goes_to_one_worker(stand: Stand) -> anyhow::Result<()> {
    let gateway = stand.process();
    let (mut one, mut other) = (stand.process().task_hints(), stand.process().task_hints());
    ensure!(gateway.task_ready().await);
    tokio::select! {
        heard = hint(&mut one, SOON) => ensure!(heard.is_some()),
        heard = hint(&mut other, SOON) => ensure!(heard.is_some()),
    }
    ensure!(hint(&mut one, NEVER).await.is_none() && hint(&mut other, NEVER).await.is_none());
    Ok(())
}
