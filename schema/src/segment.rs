//! The table `transcode_segments`: the stored segments of HLS renditions.

use tokio_postgres::Row;
use uuid::Uuid;

use crate::db::{DbError, Tx, sql};

/// A segment that is in the bucket.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Its rendition.
    pub transcode_id: Uuid,
    /// Its place in the grid, from 0.
    pub sequence: u32,
    /// Its key.
    pub path: String,
    /// Its content id.
    pub cid: String,
    /// Duration in ticks of 1/90000 s.
    pub duration_ticks: u64,
    /// Bytes.
    pub size: u64,
}

impl Segment {
    fn read(row: &Row) -> Self {
        Self {
            transcode_id: row.get("transcode_id"),
            sequence: u32::try_from(row.get::<_, i64>("sequence")).unwrap_or(u32::MAX),
            path: row.get("file_path"),
            cid: row.get("file_cid"),
            duration_ticks: row.get::<_, i64>("duration_ticks").unsigned_abs(),
            size: row.get::<_, i64>("size").unsigned_abs(),
        }
    }
}

/// Stores a segment unless its place is taken: the first committed one stands, another's object is
/// left to the janitor.
///
/// # Errors
/// [`DbError`].
pub async fn insert(tx: &Tx, segment: &Segment) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- segment.insert
        INSERT INTO transcode_segments (transcode_id, sequence, file_path, file_cid, storage_type,
            duration, duration_ticks, size, created_at)
        VALUES ($1, $2, $3, $4, 's3', $5::INT8::DECIMAL / 90000, $5, $6, $7)
        ON CONFLICT (transcode_id, sequence) DO NOTHING"
        ),
        &[
            &segment.transcode_id,
            &i64::from(segment.sequence),
            &segment.path,
            &segment.cid,
            &segment.duration_ticks.cast_signed(),
            &segment.size.cast_signed(),
            &tx.now(),
        ],
    )
    .await?;
    Ok(())
}

/// The segments of a rendition in order, at most `limit` from `from` on.
///
/// # Errors
/// [`DbError`].
pub async fn of_transcode(
    tx: &Tx,
    transcode: Uuid,
    from: u32,
    limit: i64,
) -> Result<Vec<Segment>, DbError> {
    let rows = tx
        .all(
            sql!(
                "-- segment.of_transcode
            SELECT transcode_id, sequence, file_path, file_cid, duration_ticks, size
            FROM transcode_segments WHERE transcode_id = $1 AND sequence >= $2
            ORDER BY sequence LIMIT $3"
            ),
            &[&transcode, &i64::from(from), &limit],
        )
        .await?;
    Ok(rows.iter().map(Segment::read).collect())
}

/// The segments of a video from `from` on in order, of one rendition or of all, each with its
/// resolution; at most `limit`.
///
/// # Errors
/// [`DbError`].
pub async fn of_video(
    tx: &Tx,
    video: Uuid,
    resolution: Option<&str>,
    from: u32,
    limit: i64,
) -> Result<Vec<(String, Segment)>, DbError> {
    let rows = tx
        .all(
            sql!(
                "-- segment.of_video
            SELECT t.resolution, s.transcode_id, s.sequence, s.file_path, s.file_cid,
                s.duration_ticks, s.size
            FROM transcodes t JOIN transcode_segments s ON s.transcode_id = t.id
            WHERE t.video_id = $1 AND t.resolution = COALESCE($2, t.resolution)
                AND s.sequence >= $3
            ORDER BY s.sequence, t.resolution LIMIT $4"
            ),
            &[&video, &resolution, &i64::from(from), &limit],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get("resolution"), Segment::read(row))).collect())
}

/// How many segments each rendition of a video has stored, by resolution.
///
/// # Errors
/// [`DbError`].
pub async fn counts(tx: &Tx, video: Uuid) -> Result<Vec<(String, i64)>, DbError> {
    let rows = tx
        .all(
            sql!(
                "-- segment.counts
            SELECT t.resolution, count(s.sequence) AS stored
            FROM transcodes t LEFT JOIN transcode_segments s ON s.transcode_id = t.id
            WHERE t.video_id = $1 AND t.format = 'hls'
            GROUP BY t.resolution ORDER BY t.resolution LIMIT 100"
            ),
            &[&video],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get("resolution"), row.get("stored"))).collect())
}

/// How many segments a rendition has stored from sequence `from` on, before `to`.
///
/// # Errors
/// [`DbError`].
pub async fn stored(tx: &Tx, transcode: Uuid, from: i64, to: i64) -> Result<i64, DbError> {
    let row = tx
        .opt(
            sql!(
                "-- segment.stored
            SELECT count(*) AS stored FROM transcode_segments
            WHERE transcode_id = $1 AND sequence >= $2 AND sequence < $3"
            ),
            &[&transcode, &from, &to],
        )
        .await?;
    Ok(row.map_or(0, |row| row.get("stored")))
}

/// Removes all segments of a video, after their objects are gone.
///
/// # Errors
/// [`DbError`].
pub async fn remove(tx: &Tx, video: Uuid) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- segment.remove
        DELETE FROM transcode_segments
        WHERE transcode_id IN (SELECT id FROM transcodes WHERE video_id = $1)"
        ),
        &[&video],
    )
    .await?;
    Ok(())
}
