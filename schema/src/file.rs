//! The table `files`: single stored files of a video, by role.

use tokio_postgres::Row;
use uuid::Uuid;

use crate::db::{DbError, Tx, sql};

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The final master playlist.
    Master,
    /// The still picture.
    Poster,
}

impl Role {
    /// The word in rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Poster => "poster",
        }
    }

    fn from_name(word: &str) -> Result<Self, DbError> {
        match word {
            "master" => Ok(Self::Master),
            "poster" => Ok(Self::Poster),
            _ => Err(DbError::Word { what: "role", word: word.to_owned() }),
        }
    }
}

/// A file that is in the bucket.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// What it is for.
    pub role: Role,
    /// Its key.
    pub path: String,
    /// Its content id.
    pub cid: String,
    /// Bytes.
    pub size: u64,
}

impl NewFile {
    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            role: Role::from_name(row.get("role"))?,
            path: row.get("path"),
            cid: row.get("cid"),
            size: row.get::<_, i64>("size").unsigned_abs(),
        })
    }
}

/// Stores a file; a later attempt's takes the place of an earlier one's.
///
/// # Errors
/// [`DbError`].
pub async fn insert(tx: &Tx, video: Uuid, new: &NewFile) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- file.insert
        INSERT INTO files (video_id, role, path, cid, size, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (video_id, role) DO UPDATE SET path = excluded.path, cid = excluded.cid,
            size = excluded.size, created_at = excluded.created_at"
        ),
        &[&video, &new.role.name(), &new.path, &new.cid, &new.size.cast_signed(), &tx.now()],
    )
    .await?;
    Ok(())
}

/// The files of a video.
///
/// # Errors
/// [`DbError`].
pub async fn of_video(tx: &Tx, video: Uuid) -> Result<Vec<NewFile>, DbError> {
    tx.all(
        sql!(
            "-- file.of_video
        SELECT role, path, cid, size FROM files WHERE video_id = $1 ORDER BY role LIMIT 100"
        ),
        &[&video],
    )
    .await?
    .iter()
    .map(NewFile::read)
    .collect()
}

/// The files of these videos, each with its video.
///
/// # Errors
/// [`DbError`].
pub async fn of_videos(tx: &Tx, videos: &[Uuid]) -> Result<Vec<(Uuid, NewFile)>, DbError> {
    tx.all(
        sql!(
            "-- file.of_videos
        SELECT video_id, role, path, cid, size FROM files WHERE video_id = ANY($1)
        ORDER BY video_id, role LIMIT 10000"
        ),
        &[&videos],
    )
    .await?
    .iter()
    .map(|row| Ok((row.get("video_id"), NewFile::read(row)?)))
    .collect()
}

/// Removes all file rows of a video, after the objects are gone.
///
/// # Errors
/// [`DbError`].
pub async fn remove(tx: &Tx, video: Uuid) -> Result<(), DbError> {
    tx.exec(sql!("-- file.remove\nDELETE FROM files WHERE video_id = $1"), &[&video]).await?;
    Ok(())
}
