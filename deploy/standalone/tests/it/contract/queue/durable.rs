//! What outlives a process: the hints that a broker keeps.

use std::collections::HashSet;
use std::time::Duration;

use ::pulsar::consumer::InitialPosition;
use ::pulsar::{Consumer, ConsumerOptions, Pulsar, SubType, TokioExecutor};
use anyhow::{Context as _, ensure};
use futures_util::StreamExt as _;
use reelpin_schema::ambient::Ambient;
use reelpin_schema::queue::pulsar::{Config, STATUS, TASKS, WORKERS, check};
use reelpin_schema::queue::{Heard, Queue};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::stand::{Stand, over};
use super::{NEVER, SOON, heard, hint};

over!(both: ; pulsar:
    hints_wait_for_the_first_worker, a_dead_consumers_messages_come_back,
    what_was_acknowledged_may_come_back, ten_thousand_hints_and_workers_that_come_and_go,
    old_and_new_messages_side_by_side, the_check_says_what_works,
    a_wrong_namespace_is_told, connections_end_with_their_owner,
);

async fn hints_wait_for_the_first_worker(stand: Stand) -> anyhow::Result<()> {
    let gateway = stand.process();
    for _ in 0..20 {
        ensure!(gateway.task_ready().await);
    }
    drop(gateway);
    let mut hints = stand.process().task_hints();
    for n in 0..20 {
        ensure!(hint(&mut hints, SOON).await.is_some(), "hint {n} was not kept");
    }
    ensure!(hint(&mut hints, NEVER).await.is_none());
    Ok(())
}

async fn a_dead_consumers_messages_come_back(stand: Stand) -> anyhow::Result<()> {
    let gateway = stand.process();
    ensure!(gateway.task_ready().await);
    // It takes the message and dies before it says so.
    let mut dying = consumer(stand.config()?).await?;
    let taken = tokio::time::timeout(SOON, dying.next()).await?.context("ended")??;
    let mut hints = stand.process().task_hints();
    ensure!(hint(&mut hints, NEVER).await.is_none(), "it is taken");
    drop((taken, dying));
    ensure!(hint(&mut hints, SOON).await.is_some(), "it did not come back");
    Ok(())
}

/// As after a broker's crash: the cursor goes back, and every worker hears all of it once more.
async fn what_was_acknowledged_may_come_back(stand: Stand) -> anyhow::Result<()> {
    let gateway = stand.process();
    let mut hints = stand.process().task_hints();
    for _ in 0..10 {
        ensure!(gateway.task_ready().await);
        ensure!(hint(&mut hints, SOON).await.is_some());
    }
    let admin = super::stand::named("REELPIN_TEST_PULSAR_ADMIN").context("no admin")?;
    let name = &stand.config()?.namespace;
    let url =
        format!("{admin}/admin/v2/persistent/{name}/{TASKS}/subscription/{WORKERS}/resetcursor/1");
    super::stand::http().post(url).send().await?.error_for_status()?;
    let mut again = 0;
    while hint(&mut hints, Duration::from_secs(3)).await.is_some() {
        again += 1;
    }
    ensure!(again == 10, "{again} of 10 came back");
    Ok(())
}

async fn ten_thousand_hints_and_workers_that_come_and_go(stand: Stand) -> anyhow::Result<()> {
    const HINTS: usize = 10_000;
    let gateway = stand.process();
    ensure!(gateway.task_ready().await);
    let mut said = JoinSet::new();
    for n in 0..50 {
        let gateway = gateway.clone();
        said.spawn(async move {
            let mut unsaid = 0;
            for _ in (n..HINTS - 1).step_by(50) {
                unsaid += usize::from(!gateway.task_ready().await);
            }
            unsaid
        });
    }
    let mut workers = JoinSet::new();
    for number in 0..6 {
        let worker = stand.process();
        workers.spawn(async move {
            let mut heard = 0;
            loop {
                // Each has room for some, then has none, and comes back.
                let mut hints = worker.task_hints();
                for _ in 0..(100 + number * 60) {
                    match hint(&mut hints, Duration::from_secs(5)).await {
                        Some(_) => heard += 1,
                        None => return heard,
                    }
                }
            }
        });
    }
    let unsaid: usize = said.join_all().await.into_iter().sum();
    let heard: usize = workers.join_all().await.into_iter().sum();
    println!("{heard} of {HINTS} hints were heard, {unsaid} were not sent");
    ensure!(unsaid == 0, "{unsaid} were not sent");
    ensure!(heard >= HINTS, "{heard} of {HINTS} were heard");
    ensure!(heard < HINTS + HINTS / 10, "{heard} for {HINTS}: too many came twice");
    Ok(())
}

async fn old_and_new_messages_side_by_side(stand: Stand) -> anyhow::Result<()> {
    let config = stand.config()?;
    let process = stand.process();
    let (mut tasks, mut status) = (process.task_hints(), process.status_hints());
    ensure!(process.task_ready().await && hint(&mut tasks, SOON).await.is_some());
    ensure!(heard(&mut status, SOON).await == Some(Heard::Missed));
    let client = client(config).await?;
    let say = async |topic: &str, text: &str| {
        let topic = format!("persistent://{}/{topic}", config.namespace);
        client.send(topic, text).await?.await?;
        anyhow::Ok(())
    };
    for text in ["garbage", r#"{"v":1}"#, r#"{"v":2,"kinds":["probe"]}"#, "{}", r#"{"v":1000}"#] {
        say(TASKS, text).await?;
    }
    let mut versions = Vec::new();
    for _ in 0..3 {
        versions.push(hint(&mut tasks, SOON).await.context("no hint")?.v);
    }
    ensure!(versions == [1, 2, 255], "{versions:?}");
    ensure!(hint(&mut tasks, NEVER).await.is_none(), "garbage woke a worker");

    let video = Uuid::new_v4();
    say(STATUS, "garbage").await?;
    say(STATUS, &format!(r#"{{"v":1,"video_id":"{video}"}}"#)).await?;
    say(STATUS, &format!(r#"{{"v":2,"video_id":"{video}","mood":"new"}}"#)).await?;
    say(STATUS, r#"{"v":2,"videos":[]}"#).await?;
    for v in [1, 2] {
        let Some(Heard::Hint(hint)) = heard(&mut status, SOON).await else {
            anyhow::bail!("no hint")
        };
        ensure!((hint.v, hint.video_id) == (v, video));
    }
    ensure!(heard(&mut status, SOON).await == Some(Heard::Missed), "something changed");
    ensure!(heard(&mut status, NEVER).await.is_none());
    Ok(())
}

async fn the_check_says_what_works(stand: Stand) -> anyhow::Result<()> {
    let words = check(stand.config()?, &Ambient::system()).await?;
    ensure!(words.starts_with("the queue works: "), "{words}");
    Ok(())
}

async fn a_wrong_namespace_is_told(stand: Stand) -> anyhow::Result<()> {
    let config =
        Config { namespace: "public/nobody-made-this".to_owned(), ..stand.config()?.clone() };
    let words = check(&config, &Ambient::system()).await.err().context("it worked")?.to_string();
    ensure!(words.contains("there is no namespace public/nobody-made-this"), "{words}");
    let began = tokio::time::Instant::now();
    let queue = Queue::pulsar(config);
    ensure!(!queue.task_ready().await && !queue.task_ready().await, "it went nowhere");
    ensure!(began.elapsed() < Duration::from_secs(4), "a committer waited {:?}", began.elapsed());
    Ok(())
}

/// Workers come and go for months: neither consumers nor connections may stay behind.
async fn connections_end_with_their_owner(stand: Stand) -> anyhow::Result<()> {
    let admin = super::stand::named("REELPIN_TEST_PULSAR_ADMIN").context("no admin")?;
    let name = &stand.config()?.namespace;
    let stats = format!("{admin}/admin/v2/persistent/{name}/{TASKS}/stats");
    let consumers = async || {
        let stats: serde_json::Value =
            super::stand::http().get(&stats).send().await?.error_for_status()?.json().await?;
        let seen =
            stats["subscriptions"][WORKERS]["consumers"].as_array().context("no subscription")?;
        anyhow::Ok(seen.iter().map(|c| c["address"].to_string()).collect::<HashSet<_>>())
    };
    let sockets = || {
        std::fs::read_dir("/proc/self/fd").map(|files| {
            files
                .flatten()
                .filter_map(|f| std::fs::read_link(f.path()).ok())
                .filter(|to| to.to_string_lossy().starts_with("socket:"))
                .count()
        })
    };
    let queue = stand.process();
    ensure!(queue.task_ready().await);
    for round in 0..15 {
        let mut hints = queue.task_hints();
        ensure!(hint(&mut hints, SOON).await.is_some(), "round {round}");
        ensure!(consumers().await?.len() == 1, "round {round}");
        drop(hints);
        ensure!(queue.task_ready().await);
    }
    let deadline = tokio::time::Instant::now() + SOON;
    while !consumers().await?.is_empty() {
        ensure!(tokio::time::Instant::now() < deadline, "a consumer stayed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("{} sockets in this process after 15 rounds", sockets()?);
    Ok(())
}

async fn client(config: &Config) -> anyhow::Result<Pulsar<TokioExecutor>> {
    Ok(Pulsar::builder(config.url.clone(), TokioExecutor).build().await?)
}

/// A consumer of the workers' subscription that acknowledges nothing by itself.
async fn consumer(config: &Config) -> anyhow::Result<Consumer<Vec<u8>, TokioExecutor>> {
    let options = ConsumerOptions::default().with_initial_position(InitialPosition::Earliest);
    Ok(client(config)
        .await?
        .consumer()
        .with_topic(format!("persistent://{}/{TASKS}", config.namespace))
        .with_subscription(WORKERS)
        .with_subscription_type(SubType::Shared)
        .with_options(options)
        .build()
        .await?)
}
