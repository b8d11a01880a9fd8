//! A worker as a process wires it: looks, lanes and attempts; and one that only sweeps.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use reelpin_gateway::Engines;
use reelpin_transcoder::Collaborators;
use reelpin_transcoder::steps::{self, Claimed, LANES, Worker};
use uuid::Uuid;

use super::Env;
use crate::model::{EncoderModel, film};
use crate::turns::holding;

/// How often a worker looks without a hint.
const LOOK: Duration = Duration::from_secs(1);

fn steps(env: &Env, engines: Engines, name: String) -> Worker {
    let collaborators = Collaborators {
        services: Default::default(),
        db: engines.db,
        bucket: engines.bucket,
        node: engines.node,
        pin_original: true,
        own_node: true,
        queue: engines.queue,
        ambient: engines.ambient,
    };
    let encoder = EncoderModel::new(env.gates.clone(), env.actor);
    let options = film::options();
    Worker::new(collaborators, Arc::new(encoder), options, name)
}

/// Lives until it is killed.
pub(super) async fn live(env: Env, engines: Engines, number: usize) {
    let ambient = engines.ambient.clone();
    let mut hints = engines.queue.task_hints();
    let worker = steps(&env, engines, format!("worker {number}"));
    let mut busy = vec![0; LANES.len()];
    let mut attempts = FuturesUnordered::new();
    let mut hinted = true;
    loop {
        let free: Vec<usize> =
            LANES.iter().zip(&busy).map(|(lane, busy)| lane.at_once - busy).collect();
        let claimed = {
            let mut looking = pin!(look(worker.clone(), free, hinted));
            loop {
                tokio::select! {
                    biased;
                    Some(lane) = attempts.next(), if !attempts.is_empty() => busy[lane] -= 1,
                    claimed = &mut looking => break claimed,
                }
            }
        };
        for (lane, claimed) in claimed {
            busy[lane] += 1;
            attempts.push(attempt(worker.clone(), lane, claimed));
        }
        let room = LANES.iter().zip(&busy).any(|(lane, busy)| *busy < lane.at_once);
        hinted = tokio::select! {
            biased;
            Some(lane) = attempts.next(), if !attempts.is_empty() => {
                busy[lane] -= 1;
                true
            }
            _ = hints.next(), if room => true,
            () = ambient.sleep(LOOK) => false,
        };
    }
}

async fn look(worker: Worker, free: Vec<usize>, hinted: bool) -> Vec<(usize, Claimed)> {
    let _ = steps::sweep(worker.clone()).await;
    let mut claimed = Vec::new();
    if !worker.looks(hinted) {
        return claimed;
    }
    for (number, lane) in LANES.iter().enumerate() {
        for _ in 0..free[number] {
            match steps::claim(worker.clone(), lane).await {
                Ok(Some(task)) => claimed.push((number, task)),
                Ok(None) | Err(_) => break,
            }
        }
    }
    claimed
}

type Attempt = Pin<Box<dyn Future<Output = usize>>>;

/// An attempt whose every poll is known to be its lease's.
fn attempt(worker: Worker, lane: usize, claimed: Claimed) -> Attempt {
    let token = claimed.lease.token();
    let attempt = steps::attempt(worker, claimed, std::future::pending());
    Box::pin(async move {
        Held { token, attempt: Box::pin(attempt) }.await;
        lane
    })
}

struct Held<F> {
    token: Uuid,
    attempt: Pin<Box<F>>,
}

impl<F: Future> Future for Held<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let (token, attempt) = (self.token, self.attempt.as_mut());
        holding(token, || attempt.poll(cx))
    }
}

/// Sweeps, each second.
pub(super) async fn sweep(env: Env, engines: Engines) {
    let ambient = engines.ambient.clone();
    let worker = steps(&env, engines, "sweeper".to_owned());
    loop {
        let _ = steps::sweep(worker.clone()).await;
        ambient.sleep(LOOK * 3).await;
    }
}
