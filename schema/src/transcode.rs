//! The table `transcodes`: one row for each rendition, a rung in one format or the audio.

mod growth;

use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::db::{DbError, Tx, sql};

pub use growth::{Grown, Growth, Reach, can_play, grow, growth, reach};

/// The resolution word of the audio rendition.
pub const AUDIO: &str = "audio";

/// `hls` or `mp4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Init, segments and a media playlist.
    Hls,
    /// One progressive file.
    Mp4,
}

impl Format {
    /// The word in rows and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hls => "hls",
            Self::Mp4 => "mp4",
        }
    }

    fn from_name(word: &str) -> Result<Self, DbError> {
        match word {
            "hls" => Ok(Self::Hls),
            "mp4" => Ok(Self::Mp4),
            _ => Err(DbError::Word { what: "format", word: word.to_owned() }),
        }
    }
}

/// A rendition to be made, or one that was made in one piece (an MP4).
#[derive(Debug, Clone)]
pub struct NewRendition {
    /// `hls` or `mp4`.
    pub format: Format,
    /// `480p`, ... or [`AUDIO`].
    pub resolution: String,
    /// Pixels; `None` for audio.
    pub width: Option<u32>,
    /// Pixels; `None` for audio.
    pub height: Option<u32>,
    /// Whether its picture is the original's own, not encoded again.
    pub copy: bool,
    /// The stored file, when there is one already.
    pub stored: Option<StoredFile>,
}

/// A file that is in the bucket.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// Its key.
    pub path: String,
    /// Its content id.
    pub cid: String,
    /// Bytes.
    pub size: u64,
    /// Average bits per second.
    pub bitrate: u64,
    /// Highest bits per second.
    pub peak_bitrate: u64,
    /// RFC 6381 codecs, comma separated.
    pub codec: String,
}

/// A row of `transcodes`.
#[derive(Debug, Clone)]
pub struct Transcode {
    /// Its id.
    pub id: Uuid,
    /// Its video.
    pub video_id: Uuid,
    /// HLS: key of the final media playlist, `None` until packaged. MP4: key of the file.
    pub file_path: Option<String>,
    /// CID of that file.
    pub file_cid: Option<String>,
    /// Bytes of that file.
    pub file_size: Option<u64>,
    /// `hls` or `mp4`.
    pub format: Format,
    /// `480p`, ... or [`AUDIO`].
    pub resolution: String,
    /// `transcode` or `copy`.
    pub kind: String,
    /// Key of the init segment.
    pub init_path: Option<String>,
    /// CID of the init segment.
    pub init_cid: Option<String>,
    /// Bytes of the init segment.
    pub init_size: Option<u64>,
    /// RFC 6381, from the stored init.
    pub codec: Option<String>,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Average bits per second.
    pub bitrate: Option<u64>,
    /// Highest bits per second (RFC 8216, 4.1).
    pub peak_bitrate: Option<u64>,
    /// Bytes of init and segments, or of the MP4.
    pub size: Option<u64>,
    /// When all its segments were stored.
    pub stored_at: Option<OffsetDateTime>,
    /// How many segments are stored from the first on without a hole.
    pub prefix: u32,
    /// Since when the growing master lists it.
    pub listed_at: Option<OffsetDateTime>,
}

impl Transcode {
    fn read(row: &Row) -> Result<Self, DbError> {
        let number = |name: &str| row.get::<_, Option<i64>>(name).map(i64::unsigned_abs);
        let pixels = |name: &str| number(name).and_then(|n| u32::try_from(n).ok());
        Ok(Self {
            id: row.get("id"),
            video_id: row.get("video_id"),
            file_path: row.get("file_path"),
            file_cid: row.get("file_cid"),
            file_size: number("file_size"),
            format: Format::from_name(row.get("format"))?,
            resolution: row.get("resolution"),
            kind: row.get("type"),
            init_path: row.get("init_path"),
            init_cid: row.get("init_cid"),
            init_size: number("init_size"),
            codec: row.get("codec"),
            width: pixels("width"),
            height: pixels("height"),
            bitrate: number("bitrate"),
            peak_bitrate: number("peak_bitrate"),
            size: number("size"),
            stored_at: row.get("stored_at"),
            prefix: u32::try_from(row.get::<_, i64>("prefix")).unwrap_or(0),
            listed_at: row.get("listed_at"),
        })
    }

    /// Whether it is the audio rendition.
    pub fn is_audio(&self) -> bool {
        self.resolution == AUDIO
    }
}

macro_rules! columns {
    () => {
        "id, video_id, file_path, file_cid, file_size, format, resolution, type, init_path, \
         init_cid, init_size, codec, width, height, bitrate, peak_bitrate, size, stored_at, prefix, listed_at"
    };
}

/// Adds a rendition unless the video has it already.
///
/// # Errors
/// [`DbError`].
pub async fn insert(tx: &Tx, video: Uuid, new: &NewRendition) -> Result<(), DbError> {
    let stored = new.stored.as_ref();
    tx.exec(
        sql!("-- transcode.insert
        INSERT INTO transcodes (id, video_id, format, resolution, storage_type, type, width, height,
            file_path, file_cid, file_size, size, bitrate, peak_bitrate, codec, stored_at, created_at,
            updated_at)
        VALUES ($1, $2, $3, $4, 's3', $15, $5, $6, $7, $8, $9, $9, $10, $11, $12, $13, $14,
            $14)
        ON CONFLICT (video_id, format, resolution, track) DO NOTHING"),
        &[
            &tx.new_id(),
            &video,
            &new.format.name(),
            &new.resolution,
            &new.width.map(i64::from),
            &new.height.map(i64::from),
            &stored.map(|s| &s.path),
            &stored.map(|s| &s.cid),
            &stored.map(|s| s.size.cast_signed()),
            &stored.map(|s| s.bitrate.cast_signed()),
            &stored.map(|s| s.peak_bitrate.cast_signed()),
            &stored.map(|s| &s.codec),
            &stored.map(|_| tx.now()),
            &tx.now(),
            &if new.copy { "copy" } else { "transcode" },
        ],
    )
    .await?;
    Ok(())
}

/// All renditions of a video, HLS first, lowest first, audio last.
///
/// # Errors
/// [`DbError`].
pub async fn of_video(tx: &Tx, video: Uuid) -> Result<Vec<Transcode>, DbError> {
    tx.all(
        sql!(concat!(
            "-- transcode.of_video\nSELECT ",
            columns!(),
            " FROM transcodes WHERE video_id = $1
        ORDER BY format, resolution = 'audio', height, width, resolution LIMIT 100"
        )),
        &[&video],
    )
    .await?
    .iter()
    .map(Transcode::read)
    .collect()
}

/// All renditions of these videos, in the order of [`of_video`] within each.
///
/// # Errors
/// [`DbError`].
pub async fn of_videos(tx: &Tx, videos: &[Uuid]) -> Result<Vec<Transcode>, DbError> {
    tx.all(
        sql!(concat!(
            "-- transcode.of_videos\nSELECT ",
            columns!(),
            " FROM transcodes WHERE video_id = ANY($1)
        ORDER BY video_id, format, resolution = 'audio', height, width, resolution LIMIT 10000"
        )),
        &[&videos],
    )
    .await?
    .iter()
    .map(Transcode::read)
    .collect()
}

/// The init segment of an attempt.
#[derive(Debug, Clone)]
pub struct Init {
    /// Its key.
    pub path: String,
    /// Its content id.
    pub cid: String,
    /// Bytes.
    pub size: u64,
    /// RFC 6381.
    pub codec: String,
}

/// Makes an attempt's init the rendition's own when it has none yet. Returns the CID that stands.
///
/// # Errors
/// [`DbError::Stale`] when the rendition is gone.
pub async fn set_init(tx: &Tx, transcode: Uuid, init: &Init) -> Result<String, DbError> {
    tx.exec(
        sql!(
            "-- transcode.set_init
        UPDATE transcodes SET init_path = $2, init_cid = $3, init_size = $4, codec = $5,
            updated_at = $6
        WHERE id = $1 AND init_cid IS NULL"
        ),
        &[&transcode, &init.path, &init.cid, &init.size.cast_signed(), &init.codec, &tx.now()],
    )
    .await?;
    let row = tx
        .opt(
            sql!("-- transcode.init\nSELECT init_cid FROM transcodes WHERE id = $1"),
            &[&transcode],
        )
        .await?
        .ok_or(DbError::Stale { what: "the rendition" })?;
    Ok(row.get("init_cid"))
}

/// Notes that all segments of a rendition are stored. Returns whether this is news.
///
/// # Errors
/// [`DbError`].
pub async fn set_stored(tx: &Tx, transcode: Uuid) -> Result<bool, DbError> {
    let changed = tx
        .exec(
            sql!(
                "-- transcode.set_stored
            UPDATE transcodes SET stored_at = $2, updated_at = $2
            WHERE id = $1 AND stored_at IS NULL"
            ),
            &[&transcode, &tx.now()],
        )
        .await?;
    Ok(changed == 1)
}

/// Forgets what is stored of these renditions, which will be encoded; their objects are left to the janitor.
///
/// # Errors
/// [`DbError`].
pub async fn forget(tx: &Tx, transcodes: &[Uuid]) -> Result<(), DbError> {
    tx.exec(
        sql!(
            "-- transcode.forget_segments
        DELETE FROM transcode_segments WHERE transcode_id = ANY($1)"
        ),
        &[&transcodes],
    )
    .await?;
    tx.exec(
        sql!(
            "-- transcode.forget_inits
        UPDATE transcodes SET init_path = NULL, init_cid = NULL, init_size = NULL, codec = NULL,
            stored_at = NULL, prefix = 0, listed_at = NULL, type = 'transcode', updated_at = $2
        WHERE id = ANY($1)"
        ),
        &[&transcodes, &tx.now()],
    )
    .await?;
    Ok(())
}

/// Measured facts of an HLS rendition and its final media playlist.
#[derive(Debug, Clone)]
pub struct Packaged {
    /// The rendition.
    pub transcode: Uuid,
    /// Key of the playlist.
    pub path: String,
    /// CID of the playlist.
    pub cid: String,
    /// Bytes of the playlist.
    pub playlist_size: u64,
    /// Average bits per second.
    pub bitrate: u64,
    /// Highest bits per second.
    pub peak_bitrate: u64,
    /// Bytes of init and segments.
    pub size: u64,
}

/// Stores the measured facts of a packaged rendition.
///
/// # Errors
/// [`DbError::Stale`] when the rendition is gone.
pub async fn package(tx: &Tx, done: &Packaged) -> Result<(), DbError> {
    tx.exec_one(
        "the rendition",
        sql!(
            "-- transcode.package
        UPDATE transcodes SET file_path = $2, file_cid = $3, bitrate = $4, peak_bitrate = $5,
            size = $6, updated_at = $7, file_size = $8
        WHERE id = $1"
        ),
        &[
            &done.transcode,
            &done.path,
            &done.cid,
            &done.bitrate.cast_signed(),
            &done.peak_bitrate.cast_signed(),
            &done.size.cast_signed(),
            &tx.now(),
            &done.playlist_size.cast_signed(),
        ],
    )
    .await
}

/// Removes all renditions of a video, after their objects and segments are gone.
///
/// # Errors
/// [`DbError`].
pub async fn remove(tx: &Tx, video: Uuid) -> Result<(), DbError> {
    tx.exec(sql!("-- transcode.remove\nDELETE FROM transcodes WHERE video_id = $1"), &[&video])
        .await?;
    Ok(())
}
