//! Followers: each has heard each event once and in order, and in the end all of them.

use std::collections::BTreeMap;

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
    for follower in world.shared.followers() {
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
