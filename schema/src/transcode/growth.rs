//! How far renditions have grown: what a playlist can list while segments are added.

use tokio_postgres::Row;
use uuid::Uuid;

use super::AUDIO;
use crate::db::{DbError, Tx, sql};

/// How far an HLS rendition has grown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Growth {
    /// The rendition.
    pub id: Uuid,
    /// `480p`, ... or [`AUDIO`].
    pub resolution: String,
    /// How many segments are stored from the first on without a hole.
    pub prefix: u32,
    /// Whether the growing master lists it.
    pub listed: bool,
    /// Whether all its segments are stored.
    pub whole: bool,
}

impl Growth {
    fn read(row: &Row) -> Self {
        Self {
            id: row.get("id"),
            resolution: row.get("resolution"),
            prefix: u32::try_from(row.get::<_, i64>("prefix")).unwrap_or(0),
            listed: row.get("listed"),
            whole: row.get("whole"),
        }
    }

    /// Whether it is the audio rendition.
    pub fn is_audio(&self) -> bool {
        self.resolution == AUDIO
    }
}

/// What a stored segment changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grown {
    /// There is a hole before it, or it was stored before.
    No,
    /// The rendition reaches further.
    Further,
    /// These rungs reach as far as what the growing playlists show, and have joined the master.
    Listed(Vec<String>),
}

/// Notes that a segment was stored. A rung joins the growing master when it reaches as far as the playlists show, which is
/// what all listed ones have; the lowest rung and the sound with their first segment.
///
/// # Errors
/// [`DbError::Stale`] when the rendition is gone.
pub async fn grow(tx: &Tx, video: Uuid, transcode: Uuid, sequence: u32) -> Result<Grown, DbError> {
    let own = tx
        .opt(
            sql!(
                "-- transcode.prefix
            SELECT id, resolution, prefix, listed_at IS NOT NULL AS listed,
                stored_at IS NOT NULL AS whole
            FROM transcodes WHERE id = $1"
            ),
            &[&transcode],
        )
        .await?
        .ok_or(DbError::Stale { what: "the rendition" })?;
    let own = Growth::read(&own);
    if own.prefix != sequence {
        return Ok(Grown::No);
    }
    let prefix = first_gap(tx, transcode, sequence).await?;
    let joins = match own.listed {
        true => None,
        false if own.is_audio() => Some(Joins::First),
        false => caught_up(tx, video, &own, prefix).await?,
    };
    tx.exec(
        sql!(
            "-- transcode.grow
        UPDATE transcodes SET prefix = $2, updated_at = $3,
            listed_at = CASE WHEN $4 THEN $3 ELSE listed_at END
        WHERE id = $1"
        ),
        &[&transcode, &i64::from(prefix), &tx.now(), &joins.is_some()],
    )
    .await?;
    match joins {
        Some(Joins::Later) => Ok(Grown::Listed(vec![own.resolution])),
        Some(Joins::First) if !own.is_audio() => follow(tx, video, prefix).await,
        Some(Joins::First) | None => Ok(Grown::Further),
    }
}

/// Lets rungs join that were there before the lowest: nothing may be left to store of them.
async fn follow(tx: &Tx, video: Uuid, prefix: u32) -> Result<Grown, DbError> {
    let rows = tx
        .all(
            sql!(
                "-- transcode.follow
            UPDATE transcodes SET listed_at = $3, updated_at = $3
            WHERE video_id = $1 AND format = 'hls' AND resolution <> 'audio'
                AND listed_at IS NULL AND prefix >= $2
            RETURNING resolution"
            ),
            &[&video, &i64::from(prefix), &tx.now()],
        )
        .await?;
    let mut joined: Vec<String> = rows.iter().map(|row| row.get("resolution")).collect();
    joined.sort();
    Ok(if joined.is_empty() { Grown::Further } else { Grown::Listed(joined) })
}

/// How a rendition joins the growing master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joins {
    /// There is none without it.
    First,
    /// It was there.
    Later,
}

/// The first sequence from `from` on that is not stored.
async fn first_gap(tx: &Tx, transcode: Uuid, from: u32) -> Result<u32, DbError> {
    let last = tx
        .opt(
            sql!(
                "-- segment.last_before_gap
            SELECT s.sequence FROM transcode_segments s
            WHERE s.transcode_id = $1 AND s.sequence >= $2 AND NOT EXISTS
                (SELECT 1 FROM transcode_segments n
                WHERE n.transcode_id = s.transcode_id AND n.sequence = s.sequence + 1)
            ORDER BY s.sequence LIMIT 1"
            ),
            &[&transcode, &i64::from(from)],
        )
        .await?;
    let last = last.and_then(|row| u32::try_from(row.get::<_, i64>("sequence")).ok());
    Ok(last.map_or(from, |last| last.saturating_add(1)))
}

async fn caught_up(
    tx: &Tx,
    video: Uuid,
    own: &Growth,
    prefix: u32,
) -> Result<Option<Joins>, DbError> {
    let all = growth(tx, video).await?;
    if all.first().is_some_and(|lowest| lowest.id == own.id) {
        return Ok(Some(Joins::First));
    }
    let listed = all.iter().filter(|one| one.listed && !one.is_audio());
    let shown = listed.map(|one| one.prefix).min();
    Ok(shown.is_some_and(|shown| prefix >= shown).then_some(Joins::Later))
}

/// The HLS renditions of a video, lowest first, audio last.
///
/// # Errors
/// [`DbError`].
pub async fn growth(tx: &Tx, video: Uuid) -> Result<Vec<Growth>, DbError> {
    let rows = tx
        .all(
            sql!(
                "-- transcode.growth
            SELECT id, resolution, prefix, listed_at IS NOT NULL AS listed,
                stored_at IS NOT NULL AS whole
            FROM transcodes WHERE video_id = $1 AND format = 'hls'
            ORDER BY resolution = 'audio', height, width, resolution LIMIT 100"
            ),
            &[&video],
        )
        .await?;
    Ok(rows.iter().map(Growth::read).collect())
}

/// How far a rendition reaches without a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// The rendition.
    pub id: Uuid,
    /// Ticks up to the end of its last segment before a hole.
    pub end: u64,
    /// Ticks up to the beginning of that segment.
    pub before: u64,
}

/// How far each HLS rendition of a video reaches.
///
/// # Errors
/// [`DbError`].
pub async fn reach(tx: &Tx, video: Uuid) -> Result<Vec<Reach>, DbError> {
    let rows = tx
        .all(
            sql!(
                "-- transcode.reach
            SELECT t.id, COALESCE(sum(s.duration_ticks), 0)::INT8 AS end_at,
                COALESCE(sum(CASE WHEN s.sequence < t.prefix - 1 THEN s.duration_ticks END), 0)::INT8 AS last_at
            FROM transcodes t LEFT JOIN transcode_segments s
                ON s.transcode_id = t.id AND s.sequence < t.prefix
            WHERE t.video_id = $1 AND t.format = 'hls' GROUP BY t.id LIMIT 100"
            ),
            &[&video],
        )
        .await?;
    let ticks = |row: &Row, name| row.get::<_, i64>(name).unsigned_abs();
    Ok(rows
        .iter()
        .map(|row| Reach {
            id: row.get("id"),
            end: ticks(row, "end_at"),
            before: ticks(row, "last_at"),
        })
        .collect())
}

/// Whether one rung (if there is a picture) and the audio (if any) have their first segment.
///
/// # Errors
/// [`DbError`].
pub async fn can_play(tx: &Tx, video: Uuid) -> Result<bool, DbError> {
    let all = growth(tx, video).await?;
    let pictures = all.iter().any(|one| !one.is_audio());
    let picture = all.iter().any(|one| !one.is_audio() && one.listed);
    let sound = all.iter().filter(|one| one.is_audio()).all(|one| one.prefix > 0);
    Ok(!all.is_empty() && (picture || !pictures) && sound)
}
