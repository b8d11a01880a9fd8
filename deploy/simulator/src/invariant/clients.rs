//! Followers: each has heard each event once and in order, and in the end all of them.

use std::collections::{BTreeMap, BTreeSet};

use reelpin_schema::db::DbError;
use uuid::Uuid;

use crate::world::World;

/// Nobody heard anything out of order.
pub(super) fn in_order(world: &World<'_>) -> Result<(), String> {
    match world.shared.followers().into_iter().find_map(|follower| follower.wrong) {
        Some(wrong) => Err(format!("a follower: {wrong}")),
        None => Ok(()),
    }
}

/// Everybody has heard everything.
pub(super) async fn heard_everything(world: &World<'_>) -> Result<(), String> {
    in_order(world)?;
    let last: BTreeMap<Uuid, i64> = world
        .look(async move |tx| {
            let rows = tx.all("SELECT id, events FROM videos", &[]).await?;
            Ok::<_, DbError>(rows.iter().map(|row| (row.get("id"), row.get("events"))).collect())
        })
        .await?;
    let positions: Vec<i64> = world
        .look(async move |tx| {
            let rows = tx.all("SELECT position FROM events ORDER BY position", &[]).await?;
            Ok::<_, DbError>(rows.iter().filter_map(|row| row.get("position")).collect())
        })
        .await?;
    for follower in world.shared.followers() {
        if follower.video.is_none() {
            let start = follower.start.ok_or("a follower of all was never answered")?;
            let heard: BTreeSet<i64> = follower.heard.iter().copied().collect();
            let missed = |position: &&i64| **position > start && !heard.contains(position);
            if let Some(missed) = positions.iter().find(missed) {
                return Err(format!("a follower of all never heard of position {missed}"));
            }
            continue;
        }
        for (video, known) in &follower.known {
            let last = last.get(video).copied().unwrap_or(*known);
            if *known != last {
                return Err(format!("a follower knows {known} of {last} events of {video}"));
            }
        }
        if let Some(video) = follower.video.filter(|video| !follower.known.contains_key(video)) {
            return Err(format!("a follower never heard of {video}"));
        }
    }
    Ok(())
}
