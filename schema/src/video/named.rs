//! Which objects the rows of videos name: what makes an object exist.

use std::collections::BTreeSet;

use time::OffsetDateTime;
use uuid::Uuid;

use super::Status;
use crate::db::{DbError, Tx, sql};

/// A video as whoever looks at its objects needs it.
#[derive(Debug, Clone)]
pub struct Named {
    /// Its id.
    pub id: Uuid,
    /// Where it stands.
    pub status: Status,
    /// Key of the original.
    pub original: String,
    /// Whether that was found in the bucket.
    pub uploaded: bool,
    /// When its upload address expires.
    pub ticket_until: OffsetDateTime,
    /// Attempts for it: what each one's keys carry, and when it was closed.
    pub attempts: Vec<(String, Option<OffsetDateTime>)>,
}

/// Reads the videos among `ids` that are there, tombstones included, and those of `keys` that a row of
/// them names as a segment, an init, a playlist, an MP4 or a file.
///
/// # Errors
/// [`DbError`].
pub async fn named(
    tx: &Tx,
    ids: &[Uuid],
    keys: &[String],
) -> Result<(Vec<Named>, BTreeSet<String>), DbError> {
    let mut videos = tx
        .all(
            sql!(
                "-- video.named
            SELECT id, upload_status, file_path, etag IS NOT NULL AS uploaded, ticket_until
            FROM videos WHERE id = ANY($1) ORDER BY id"
            ),
            &[&ids],
        )
        .await?
        .iter()
        .map(|row| {
            Ok(Named {
                id: row.get("id"),
                status: Status::from_name(row.get("upload_status"))?,
                original: row.get("file_path"),
                uploaded: row.get("uploaded"),
                ticket_until: row.get("ticket_until"),
                attempts: Vec::new(),
            })
        })
        .collect::<Result<Vec<_>, DbError>>()?;
    let attempts = tx
        .all(
            sql!(
                "-- attempt.of_videos
            SELECT video_id, token, closed_at FROM attempts WHERE video_id = ANY($1)
            ORDER BY video_id, started_at, token"
            ),
            &[&ids],
        )
        .await?;
    for row in attempts {
        let id: Uuid = row.get("video_id");
        if let Ok(place) = videos.binary_search_by_key(&id, |video| video.id) {
            let suffix = crate::task::suffix(row.get("token"));
            videos[place].attempts.push((suffix, row.get("closed_at")));
        }
    }
    let named = tx
        .all(
            sql!(
                "-- video.named_keys
            SELECT s.file_path AS path FROM transcodes t
                JOIN transcode_segments s ON s.transcode_id = t.id
                WHERE t.video_id = ANY($1) AND s.file_path = ANY($2)
            UNION ALL SELECT t.file_path FROM transcodes t
                WHERE t.video_id = ANY($1) AND t.file_path = ANY($2)
            UNION ALL SELECT t.init_path FROM transcodes t
                WHERE t.video_id = ANY($1) AND t.init_path = ANY($2)
            UNION ALL SELECT f.path FROM files f
                WHERE f.video_id = ANY($1) AND f.path = ANY($2)"
            ),
            &[&ids, &keys],
        )
        .await?;
    Ok((videos, named.iter().map(|row| row.get("path")).collect()))
}
