//! A client: what it asks of a gateway, which does it in the client's turn, and what it sends to the
//! bucket itself. It does not try again: most people do, and then they are another client.

use std::time::Duration;

use reelpin_gateway::Engines;
use reelpin_gateway::steps::{self, NewUpload};

use super::Env;
use crate::gate::{Effect, Verdict};
use crate::model;
use crate::script::{Sends, Wish};

/// Does what it wishes.
pub(super) async fn live(env: Env, engines: Engines, wish: Wish) {
    let video = |nth: usize| env.shared.video(nth);
    match wish {
        Wish::Upload { film, sends, completes } => {
            upload(&env, &engines, film, sends, completes).await;
        }
        Wish::Delete(nth) => {
            if let Some(id) = video(nth) {
                let _ = steps::delete(&engines, id).await;
            }
        }
        Wish::Cancel(nth) => {
            if let Some(id) = video(nth) {
                let _ = steps::cancel(&engines, id).await;
            }
        }
        Wish::Retry(nth) => {
            if let Some(id) = video(nth) {
                let _ = steps::retry(&engines, id).await;
            }
        }
        Wish::Follow(_) | Wish::FollowAll => {}
    }
}

async fn upload(env: &Env, engines: &Engines, film: usize, sends: Sends, completes: u32) {
    let Some(original) = env.shared.original(film) else { return };
    let new = NewUpload {
        filename: "film.mp4".to_owned(),
        file_size: original.len() as u64,
        title: "film".to_owned(),
        description: String::new(),
    };
    let Ok(ticket) = steps::ticket(engines, new).await else { return };
    env.shared.know(ticket.video_id);
    let bytes = match sends {
        Sends::Nothing => return,
        Sends::Film => original,
        Sends::Late => {
            engines.ambient.sleep(Duration::from_secs(45 * 60)).await;
            original
        }
        Sends::Noise => model::noise(original.len()),
    };
    match env.gates.wait(env.actor, Effect::Bucket("client.put")).await {
        Verdict::Run | Verdict::Lost => {
            env.bucket.put_by_client(&ticket.s3_path, bytes, env.once, env.gates.clock());
        }
        Verdict::Late => {
            let (store, key, once) = (env.bucket.clone(), ticket.s3_path.clone(), env.once);
            let gates = env.gates.clone();
            let land = move || {
                store.put_by_client(&key, bytes, once, gates.clock());
            };
            env.gates.later(format!("put by a client: {}", ticket.s3_path), Box::new(land));
        }
        Verdict::Fail | Verdict::Conflict => {}
    }
    for _ in 0..completes {
        let _ = steps::arrive(engines, ticket.video_id).await;
    }
}
