//! The broker dies and stays away longer than any retry goes on, then comes back. This broker is of
//! this test alone: `REELPIN_TEST_ENGINES` names the script that starts one.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use reelpin_schema::queue::{Heard, Hints, Queue, pulsar};
use tokio::process::Command;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::stand::named;
use super::{SOON, heard, hint};

/// The client gives up by itself after about 40 s (12 tries); our own pauses grow to 5 s.
const AWAY: Duration = Duration::from_secs(50);

/// The longest that one who commits may wait for the queue: its own limit, and a little.
const COMMITTER: Duration = Duration::from_millis(2500);

/// A broker whose folder and process end with it.
struct Broker {
    script: String,
    folder: tempfile::TempDir,
}

impl Broker {
    async fn run(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.script)
            .args(words)
            .arg("pulsar")
            .env("REELPIN_ENGINES", self.folder.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(Duration::from_secs(180), output).await??;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{words:?}: {said}");
        Ok(String::from_utf8(output.stdout)?)
    }

    async fn config(&self) -> anyhow::Result<pulsar::Config> {
        let told = self.run(&["env", "--product"]).await?;
        let url = told.lines().find_map(|line| line.strip_prefix("export REELPIN_PULSAR_URL="));
        let url = url.context("no address")?.to_owned();
        Ok(pulsar::Config { url, token: None, ca: None, namespace: "public/default".to_owned() })
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let ended = std::process::Command::new(&self.script)
            .args(["kill", "pulsar"])
            .env("REELPIN_ENGINES", self.folder.path())
            .status();
        if !ended.is_ok_and(|status| status.success()) {
            println!("the broker in {} was not ended", self.folder.path().display());
        }
    }
}

/// Whether [`Heard::Missed`] comes; what came before the gap may still come first.
async fn told_of_a_gap<T: Clone + PartialEq + Send + 'static>(hints: &mut Hints<T>) -> bool {
    loop {
        match heard(hints, SOON).await {
            Some(Heard::Hint(_)) => {}
            said => return said == Some(Heard::Missed),
        }
    }
}

#[tokio::test]
async fn a_broker_that_was_away_for_long_is_found_again() -> anyhow::Result<()> {
    let Some(script) = named("REELPIN_TEST_ENGINES") else { return Ok(()) };
    ensure!(PathBuf::from(&script).is_file(), "there is no {script}");
    let broker = Broker { script, folder: tempfile::tempdir()? };
    broker.run(&["up"]).await?;
    let config = broker.config().await?;
    let (gateway, worker) = (Queue::pulsar(config.clone()), Queue::pulsar(config.clone()));
    let (mut hints, mut feed) = (worker.task_hints(), gateway.status_hints());
    ensure!(gateway.task_ready().await && hint(&mut hints, SOON).await.is_some());
    ensure!(heard(&mut feed, SOON).await == Some(Heard::Missed));
    ensure!(worker.video_changed(Uuid::nil()).await && hint(&mut feed, SOON).await.is_some());

    for away in [AWAY, Duration::ZERO] {
        broker.run(&["kill"]).await?;
        let died = Instant::now();
        for n in 0..20 {
            let began = Instant::now();
            ensure!(!gateway.task_ready().await, "message {n} went to a dead broker");
            ensure!(began.elapsed() < COMMITTER, "{n}: a committer waited {:?}", began.elapsed());
        }
        // All of them together were not held up for much more than one alone.
        ensure!(died.elapsed() < COMMITTER * 2, "20 messages took {:?}", died.elapsed());
        // A process that starts without a broker starts all the same.
        let late = Queue::pulsar(config.clone());
        let (mut late_hints, mut late_feed) = (late.task_hints(), late.status_hints());
        ensure!(!late.task_ready().await);
        while died.elapsed() < away {
            ensure!(heard(&mut hints, Duration::from_secs(1)).await.is_none());
        }

        broker.run(&["up"]).await?;
        let back = Instant::now();
        // Those who listened are told of the gap, and hear again.
        ensure!(told_of_a_gap(&mut feed).await, "the feed was not told");
        ensure!(told_of_a_gap(&mut hints).await, "the worker was not told");
        ensure!(heard(&mut late_feed, SOON).await == Some(Heard::Missed));
        while !gateway.task_ready().await {
            ensure!(back.elapsed() < SOON, "nothing can be published");
            sleep(Duration::from_millis(100)).await;
        }
        println!("after {} s away, all was back within {:?}", away.as_secs(), back.elapsed());
        tokio::select! {
            first = hint(&mut hints, SOON) => ensure!(first.is_some()),
            other = hint(&mut late_hints, SOON) => ensure!(other.is_some()),
        }
        let video = Uuid::new_v4();
        while !worker.video_changed(video).await {
            ensure!(back.elapsed() < SOON, "nothing can be published by the worker");
            sleep(Duration::from_millis(100)).await;
        }
        while hint(&mut feed, SOON).await.context("nothing heard")?.video_id != video {}
    }
    Ok(())
}
