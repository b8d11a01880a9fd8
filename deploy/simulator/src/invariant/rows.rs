//! Rows: everything rests, events are numbered, attempts are within bounds, of a deleted video only
//! the tombstone is left.

use reelpin_schema::db::DbError;

use crate::world::World;

/// Each counts what must not be.
const NEVER: &[(&str, &str)] = &[
    (
        "a video that does not rest",
        "SELECT count(*) FROM videos
        WHERE upload_status NOT IN ('completed', 'failed', 'cancelled', 'deleted')",
    ),
    ("a task that nobody ends", "SELECT count(*) FROM tasks WHERE state IN ('ready', 'running')"),
    (
        "a task of a completed video that waits",
        "SELECT count(*) FROM tasks t JOIN videos v ON v.id = t.video_id
        WHERE t.state = 'waiting' AND v.upload_status IN ('completed', 'failed', 'cancelled')",
    ),
    ("an attempt that nobody closed", "SELECT count(*) FROM attempts WHERE closed_at IS NULL"),
    (
        "a task with more or fewer attempts than its row says",
        "SELECT count(*) FROM tasks t WHERE t.attempt <>
            (SELECT count(*) FROM attempts a WHERE a.task_id = t.id)",
    ),
    (
        "a task beyond its bound of attempts",
        "SELECT count(*) FROM tasks WHERE attempt > max_attempts",
    ),
    (
        "events with a gap, or one too many",
        "SELECT count(*) FROM videos v WHERE v.events <>
            (SELECT count(*) FROM events e WHERE e.video_id = v.id)
        OR v.events <> (SELECT COALESCE(max(seq), 0) FROM events e WHERE e.video_id = v.id)",
    ),
    (
        "an event without a place in the order of all",
        "SELECT count(*) FROM events WHERE position IS NULL OR announced_at IS NULL",
    ),
    (
        "an event before its predecessor in the order of all",
        "SELECT count(*) FROM events a JOIN events b ON a.video_id = b.video_id AND a.seq < b.seq
        WHERE a.position >= b.position",
    ),
    (
        "a completed video without all that was planned",
        "SELECT count(*) FROM videos v WHERE v.upload_status = 'completed' AND (
            v.checksum IS NULL OR v.ipfs_cid IS NULL OR v.root_cid IS NULL
            OR EXISTS (SELECT 1 FROM transcodes t WHERE t.video_id = v.id
                AND (t.file_cid IS NULL OR t.file_path IS NULL OR t.stored_at IS NULL))
            OR NOT EXISTS (SELECT 1 FROM files f WHERE f.video_id = v.id AND f.role = 'master'))",
    ),
    (
        "a completed video with a hole between its segments",
        "SELECT count(*) FROM videos v JOIN transcodes t ON t.video_id = v.id AND t.format = 'hls'
        WHERE v.upload_status = 'completed' AND (SELECT count(*) FROM transcode_segments s
            WHERE s.transcode_id = t.id) <> (SELECT max(s.sequence) + 1 FROM transcodes o
            JOIN transcode_segments s ON s.transcode_id = o.id WHERE o.video_id = v.id)",
    ),
    (
        "a completed video whose growing playlists do not reach its end",
        "SELECT count(*) FROM videos v JOIN transcodes t ON t.video_id = v.id AND t.format = 'hls'
        WHERE v.upload_status = 'completed' AND (t.listed_at IS NULL OR t.prefix <>
            (SELECT count(*) FROM transcode_segments s WHERE s.transcode_id = t.id))",
    ),
    (
        "a playlist that would list a hole",
        "SELECT count(*) FROM transcodes t WHERE t.format = 'hls' AND t.prefix >
            (SELECT count(*) FROM transcode_segments s WHERE s.transcode_id = t.id
                AND s.sequence < t.prefix)",
    ),
    (
        "stretches that overlap",
        "SELECT count(*) FROM tasks a JOIN tasks b ON b.video_id = a.video_id
        WHERE a.kind = 'encode' AND b.kind = 'encode' AND a.place < b.place AND a.until > b.place",
    ),
    (
        "a row of a deleted video beside its tombstone",
        "SELECT count(*) FROM videos v WHERE v.upload_status = 'deleted' AND
            (EXISTS (SELECT 1 FROM transcodes t WHERE t.video_id = v.id)
                OR EXISTS (SELECT 1 FROM files f WHERE f.video_id = v.id)
                OR EXISTS (SELECT 1 FROM pins p WHERE p.video_id = v.id))",
    ),
    (
        "a pin of a completed video that is neither kept nor given up",
        "SELECT count(*) FROM pins p JOIN videos v ON v.id = p.video_id
        WHERE v.upload_status = 'completed' AND p.state NOT IN ('pinned', 'failed')",
    ),
];

/// Looks at all of them.
///
/// # Errors
/// What there is that must not be.
pub(super) async fn at_rest(world: &World<'_>) -> Result<(), String> {
    for (what, sql) in NEVER {
        let found = world
            .look(async move |tx| {
                let row = tx.opt(sql, &[]).await?;
                Ok::<_, DbError>(row.map_or(0, |row| row.get::<_, i64>(0)))
            })
            .await?;
        if found > 0 {
            return Err(format!("{found} times {what}"));
        }
    }
    Ok(())
}
