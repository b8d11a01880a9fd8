//! Objects, blocks and pins: what a row names is there, with the bytes of its content id; and in the
//! end nothing is there that no row names.

use std::collections::BTreeSet;

use reelpin_schema::cid::{Cid, FileDag};
use reelpin_schema::db::DbError;

use crate::world::World;

/// Every key that a row of a video that is not deleted names, with its content id where it has one.
const NAMED: &str = "
    SELECT named.path, named.cid FROM videos v JOIN (
        SELECT t.video_id, s.file_path AS path, s.file_cid AS cid
            FROM transcode_segments s JOIN transcodes t ON t.id = s.transcode_id
        UNION ALL SELECT video_id, init_path, init_cid FROM transcodes WHERE init_path IS NOT NULL
        UNION ALL SELECT video_id, file_path, file_cid FROM transcodes WHERE file_path IS NOT NULL
        UNION ALL SELECT video_id, path, cid FROM files
        UNION ALL SELECT id, file_path, ipfs_cid FROM videos WHERE etag IS NOT NULL
    ) AS named ON named.video_id = v.id
    WHERE v.upload_status <> 'deleted'";

/// The pins that are recorded as kept.
const PINNED: &str = "
    SELECT DISTINCT p.cid FROM pins p JOIN videos v ON v.id = p.video_id
    WHERE p.state = 'pinned' AND v.upload_status <> 'deleted'";

/// The pins that any row names.
const WANTED: &str = "
    SELECT DISTINCT p.cid FROM pins p JOIN videos v ON v.id = p.video_id
    WHERE v.upload_status <> 'deleted'";

type Named = Vec<(String, Option<String>)>;

async fn named(world: &World<'_>) -> Result<Named, String> {
    world
        .look(async move |tx| {
            let rows = tx.all(NAMED, &[]).await?;
            Ok::<_, DbError>(rows.iter().map(|row| (row.get("path"), row.get("cid"))).collect())
        })
        .await
}

async fn cids(world: &World<'_>, sql: &'static str) -> Result<BTreeSet<Cid>, String> {
    let words = world
        .look(async move |tx| {
            let rows = tx.all(sql, &[]).await?;
            Ok::<_, DbError>(rows.iter().map(|row| row.get::<_, String>("cid")).collect::<Vec<_>>())
        })
        .await?;
    words.iter().map(|word| word.parse().map_err(|_| format!("{word} is no content id"))).collect()
}

/// What rows name is there.
pub(super) async fn named_is_there(world: &World<'_>) -> Result<(), String> {
    for (path, _) in named(world).await? {
        if world.bucket.get(&path).is_none() {
            return Err(format!("a row names {path}, which is not there"));
        }
    }
    Ok(())
}

/// What rows name has the bytes that its content id says; what is recorded as pinned is listed.
pub(super) async fn bytes_are_named(world: &World<'_>) -> Result<(), String> {
    for (path, cid) in named(world).await? {
        let (Some(bytes), Some(cid)) = (world.bucket.get(&path), cid) else { continue };
        let mut dag = FileDag::new();
        dag.push(&bytes);
        let is = dag.finish().cid.to_string();
        if is != cid {
            return Err(format!("{path} is {is}, and its row says {cid}"));
        }
    }
    for cid in cids(world, PINNED).await? {
        if !world.node.lists(&cid) {
            return Err(format!("{cid} is recorded as pinned, and the node does not list it"));
        }
    }
    Ok(())
}

/// What is there is named.
pub(super) async fn there_is_named(world: &World<'_>) -> Result<(), String> {
    let named: BTreeSet<String> = named(world).await?.into_iter().map(|(path, _)| path).collect();
    if let Some(orphan) = world.bucket.keys().into_iter().find(|key| !named.contains(key)) {
        return Err(format!("no row names the object {orphan}"));
    }
    let wanted = cids(world, WANTED).await?;
    if let Some(orphan) = world.node.pins().into_iter().find(|cid| !wanted.contains(cid)) {
        return Err(format!("no row names the pin {orphan}"));
    }
    Ok(())
}
