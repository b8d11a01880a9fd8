//! What holds when everything rests.

use reelpin_schema::db::DbError;

use super::Stage;

/// Statements that count what must not be.
const NEVER: &[(&str, &str)] = &[
    (
        "a video that is not at rest",
        "SELECT count(*) FROM videos
        WHERE upload_status NOT IN ('completed', 'failed', 'cancelled', 'deleted')",
    ),
    (
        "a task that nobody ends",
        "SELECT count(*) FROM tasks t JOIN videos v ON v.id = t.video_id
        WHERE t.state IN ('ready', 'running')",
    ),
    ("an attempt that nobody closed", "SELECT count(*) FROM attempts WHERE closed_at IS NULL"),
    (
        "a task with more or fewer attempts than its row says",
        "SELECT count(*) FROM tasks t WHERE t.attempt <>
            (SELECT count(*) FROM attempts a WHERE a.task_id = t.id)",
    ),
    ("a task beyond its bound", "SELECT count(*) FROM tasks WHERE attempt > max_attempts"),
    (
        "an event out of order",
        "SELECT count(*) FROM videos v WHERE v.events <>
            (SELECT count(*) FROM events e WHERE e.video_id = v.id)
        OR v.events <> (SELECT COALESCE(max(seq), 0) FROM events e WHERE e.video_id = v.id)",
    ),
    (
        "a completed video that lacks a segment",
        "SELECT count(*) FROM transcodes t JOIN videos v ON v.id = t.video_id
        WHERE v.upload_status = 'completed' AND t.format = 'hls' AND
            (SELECT count(*) FROM transcode_segments s WHERE s.transcode_id = t.id) <> 12",
    ),
    (
        "a completed video whose playlists never grew to their end",
        "SELECT count(*) FROM transcodes t JOIN videos v ON v.id = t.video_id
        WHERE v.upload_status = 'completed' AND t.format = 'hls'
            AND (t.prefix <> 12 OR t.listed_at IS NULL)",
    ),
    (
        "stretches that overlap",
        "SELECT count(*) FROM tasks a JOIN tasks b ON b.video_id = a.video_id
        WHERE a.kind = 'encode' AND b.kind = 'encode' AND a.place < b.place AND a.until > b.place",
    ),
    (
        "a completed video whose pin is open",
        "SELECT count(*) FROM pins p JOIN videos v ON v.id = p.video_id
        WHERE v.upload_status = 'completed' AND p.state <> 'pinned'",
    ),
    (
        "a row of a deleted video",
        "SELECT count(*) FROM videos v WHERE v.upload_status = 'deleted' AND
            (EXISTS (SELECT 1 FROM transcodes t WHERE t.video_id = v.id)
                OR EXISTS (SELECT 1 FROM files f WHERE f.video_id = v.id)
                OR EXISTS (SELECT 1 FROM pins p WHERE p.video_id = v.id))",
    ),
];

pub(super) async fn everything_rests(stage: &Stage) {
    let (attempts, events, swept) = stage
        .db
        .run_tx("stress.counts", async move |tx| {
            let one = async |sql: &str| -> Result<i64, DbError> {
                Ok(tx.opt(sql, &[]).await?.map_or(0, |row| row.get(0)))
            };
            Ok::<_, DbError>((
                one("SELECT count(*) FROM attempts").await?,
                one("SELECT count(*) FROM events").await?,
                one("SELECT count(*) FROM tasks WHERE attempt > 1").await?,
            ))
        })
        .await
        .unwrap();
    println!("{attempts} attempts, {events} events, {swept} tasks begun more than once");
    assert!(swept > 0, "no task was ever taken from a worker");
    for (what, sql) in NEVER {
        let found = stage
            .db
            .run_tx("stress.never", async move |tx| {
                let row = tx.opt(sql, &[]).await?;
                Ok::<i64, DbError>(row.map_or(0, |row| row.get(0)))
            })
            .await
            .unwrap();
        assert_eq!(found, 0, "{what}");
    }
}
