//! After the faults: everybody lives, every effect happens, time passes; and everything comes to
//! rest within bounded work.

use std::time::Duration;

use reelpin_schema::db::DbError;
use time::OffsetDateTime;

use crate::gate::{Effect, Pending};
use crate::script::{Fault, Op};
use crate::turns::epoch;
use crate::world::World;

/// Effects that the rest may take.
const BOUND: u64 = 8_000;

/// How far the database is from rest.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unrest {
    /// What has to be done, by anybody.
    open: i64,
    /// When the next of it may be done.
    due: Option<OffsetDateTime>,
}

/// What keeps a world from resting: rows that somebody still has to move, and when.
const UNREST: &str = "
    SELECT count(*) AS open, min(due) AS due FROM (
        SELECT CASE WHEN looks < 8 THEN look_at ELSE ticket_until + interval '86401 s' END AS due
            FROM videos WHERE upload_status = 'pending'
        UNION ALL SELECT ready_at FROM tasks WHERE state = 'ready'
        UNION ALL SELECT lease_until FROM tasks WHERE state = 'running'
        UNION ALL SELECT NULL FROM videos
            WHERE upload_status IN ('uploaded', 'processing', 'playable')
        UNION ALL SELECT ready_at FROM unpins
        UNION ALL SELECT at FROM events WHERE position IS NULL OR announced_at IS NULL
    ) AS unrest";

/// Brings a world to rest.
///
/// # Errors
/// In words, when it does not come to rest.
pub async fn settle(world: &mut World<'_>) -> Result<(), String> {
    let began = world.counts.effects;
    // One of each is enough now, and less to wait for.
    for number in 0..world.actors() {
        world.apply(&Op::Start(number)).await;
        if world.role(number).is_spare() {
            world.retire(number);
        }
    }
    // Feeds look each second: when all else rests, they get two more.
    let mut feeds = 2;
    loop {
        quiet(world).await;
        if world.counts.effects - began > BOUND {
            return Err(format!("no rest after {BOUND} effects: {}", unrest_words(world).await));
        }
        let unrest = unrest(world).await?;
        if unrest.open == 0 && world.gates.under_way() == 0 && world.net.is_empty() {
            if feeds == 0 {
                return Ok(());
            }
            feeds -= 1;
        } else {
            feeds = 2;
        }
        // The time until something may be done, but at least until somebody looks again.
        let now = epoch() + world.gates.clock();
        let due = unrest.due.map_or(0, |due| (due - now).whole_milliseconds().clamp(0, 1 << 40));
        let due = u64::try_from(due).unwrap_or(0);
        world.apply(&Op::Pass(due.max(1_500))).await;
    }
}

/// Passes so much time, with everybody at work.
///
/// # Errors
/// In words, when it does not come to rest afterwards.
pub async fn live_on(world: &mut World<'_>, time: Duration, steps: u32) -> Result<(), String> {
    world.bucket.set_page(1000);
    for _ in 0..steps {
        let part = u64::try_from((time / steps).as_millis()).unwrap_or(u64::MAX);
        world.apply(&Op::Pass(part)).await;
        quiet(world).await;
    }
    settle(world).await
}

/// Gives the janitor time for two walks.
///
/// # Errors
/// In words, when it does not walk, or no rest follows.
pub async fn tidy(world: &mut World<'_>) -> Result<(), String> {
    let walks = world.shared.walks() + 2;
    for _ in 0..200 {
        if world.shared.walks() >= walks {
            return settle(world).await;
        }
        world.apply(&Op::Pass(10_000)).await;
        quiet(world).await;
    }
    Err("the janitor does not come round".to_owned())
}

/// Lets everything happen that can, without time passing.
pub async fn quiet(world: &mut World<'_>) {
    for _ in 0..BOUND {
        while !world.net.is_empty() {
            world.apply(&Op::Deliver { nth: 0, twice: false }).await;
        }
        while world.gates.under_way() > 0 {
            world.apply(&Op::Land(0)).await;
        }
        let ready = world.ready();
        if ready.is_empty() {
            return;
        }
        for actor in actors(&ready) {
            world.apply(&Op::Step { actor, nth: 0, fault: Fault::None }).await;
        }
    }
}

fn actors(ready: &[Pending]) -> Vec<usize> {
    let mut actors: Vec<usize> = ready.iter().map(|pending| pending.actor).collect();
    actors.sort_unstable();
    actors.dedup();
    actors
}

async fn unrest(world: &World<'_>) -> Result<Unrest, String> {
    world
        .look(async move |tx| {
            let row = tx.opt(UNREST, &[]).await?;
            Ok::<_, DbError>(row.map(|row| Unrest { open: row.get("open"), due: row.get("due") }))
        })
        .await?
        .ok_or_else(|| "no answer".to_owned())
}

/// Who is not at rest, in words.
async fn unrest_words(world: &World<'_>) -> String {
    let waiting: Vec<String> = world
        .gates
        .pending()
        .iter()
        .filter(|pending| !matches!(pending.effect, Effect::Sleep(_)))
        .map(|pending| format!("{}:{}", pending.actor, pending.effect.name()))
        .collect();
    let rows = world
        .look(async move |tx| {
            let rows = tx
                .all(
                    "SELECT v.id::TEXT || ' ' || v.upload_status || ' ' || COALESCE(
                        string_agg(t.kind || ' ' || t.place || ' ' || t.state || ' ' || t.attempt
                            || '/' || t.max_attempts || ' ' || COALESCE(t.error::TEXT, ''), ', '), '') AS words
                    FROM videos v LEFT JOIN tasks t ON t.video_id = v.id
                        AND t.state IN ('waiting', 'ready', 'running')
                    GROUP BY v.id, v.upload_status",
                    &[],
                )
                .await?;
            Ok::<_, DbError>(rows.iter().map(|row| row.get::<_, String>("words")).collect::<Vec<_>>())
        })
        .await;
    format!("{waiting:?} {rows:?}")
}
