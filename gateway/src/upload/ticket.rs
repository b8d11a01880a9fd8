//! `POST /upload/video`: an address that takes exactly the declared file.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reelpin_schema::bucket::BucketError;
use reelpin_schema::db::DbError;
use reelpin_schema::keys;
use reelpin_schema::settings::MAX_UPLOAD;
use reelpin_schema::video::{self, NewVideo};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::Shared;
use crate::engines::Engines;
use crate::extract::Sent;
use crate::openapi::problems;
use crate::problem::{Code, Problem};
use crate::video::text;

/// How long an upload may be begun (design, section 5).
const VALID: Duration = Duration::from_secs(60 * 60);

/// When the upload is looked for first, unless its sender says that it is complete.
const LOOK_AFTER: time::Duration = time::Duration::seconds(5);

/// What is to be uploaded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(expecting = "an object with filename and fileSize")]
pub(crate) struct Wanted {
    /// The file's own name; for display only.
    #[schema(max_length = 255)]
    filename: String,
    /// Bytes, exactly; at most 5 GiB.
    #[serde(rename = "fileSize")]
    #[schema(minimum = 1, maximum = 5_368_709_120_u64)]
    file_size: u64,
    /// The file's name without its ending when absent.
    #[schema(max_length = 200)]
    title: Option<String>,
    /// Empty when absent.
    #[schema(max_length = 5000)]
    description: Option<String>,
}

/// An upload that may begin.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// The file's own name, for display only.
    pub filename: String,
    /// Bytes, from 1 to 5 GiB; the address takes exactly so many.
    pub file_size: u64,
    /// As people will see it.
    pub title: String,
    /// As people will see it.
    pub description: String,
}

/// How to upload it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Ticket {
    /// The video that it will be.
    pub video_id: Uuid,
    /// Where to PUT the file's bytes. Whoever has it can upload: keep it to yourself.
    #[serde(rename = "presigned_url")]
    pub url: String,
    /// The key of the object.
    pub s3_path: String,
    /// Headers to send with the PUT, exactly these.
    pub headers: BTreeMap<String, String>,
    /// When the address stops to take an upload.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: OffsetDateTime,
}

/// Why there is no ticket. Ours, and worth another try.
#[derive(Debug, thiserror::Error)]
pub enum TicketError {
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The bucket's client.
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

impl From<TicketError> for Problem {
    fn from(e: TicketError) -> Self {
        match e {
            TicketError::Db(e) => e.into(),
            TicketError::Bucket(e) => e.into(),
        }
    }
}

/// Stores a pending video and gives the address that takes its file.
///
/// # Errors
/// [`TicketError`]. A row that was stored all the same expires as one whose upload never came.
pub async fn issue(engines: &Engines, upload: NewUpload) -> Result<Ticket, TicketError> {
    // Known before the row, since the address names it, and by the database's clock, since lists
    // sort by it.
    let id = engines.db.run_tx("upload.id", async move |tx| Ok::<_, DbError>(tx.new_id())).await?;
    let file_id = engines.ambient.uuid();
    let new = NewVideo {
        id,
        file_id,
        title: upload.title,
        description: upload.description,
        filename: upload.filename,
        file_path: keys::original(id, file_id),
        file_size: upload.file_size,
        ticket: time::Duration::seconds(VALID.as_secs().cast_signed()),
        look_after: LOOK_AFTER,
    };
    let s3_path = new.file_path.clone();
    let put =
        engines.bucket.presign_put(&s3_path, new.file_size, VALID, engines.upload_once).await?;
    let expires_at = engines
        .db
        .run_tx("upload.ticket", async move |tx| {
            let new = new.clone();
            video::insert(tx, &new).await
        })
        .await?;
    Ok(Ticket { video_id: id, url: put.url, s3_path, headers: put.headers, expires_at })
}

/// Ask for an upload address.
///
/// PUT the file to `presigned_url` with exactly `headers`, then call complete. A PUT that is
/// answered by 412 has arrived before: go on to complete.
#[utoipa::path(
    post, path = "/upload/video", tag = "upload", request_body = Wanted,
    responses((status = 201, description = "An upload address", body = Ticket), Problems)
)]
pub(crate) async fn post(
    State(app): State<Shared>,
    Sent(wanted): Sent<Wanted>,
) -> Result<(StatusCode, Json<Ticket>), Problem> {
    let filename = text::filename(&wanted.filename)?;
    if wanted.file_size == 0 {
        return Err(Problem::field("fileSize", "is 0: the file is empty"));
    }
    if wanted.file_size > MAX_UPLOAD {
        return Err(Problem::new(
            Code::TooLarge,
            format!("The file has {} bytes, and one upload takes up to 5 GiB.", wanted.file_size),
            "Upload a smaller file.",
        ));
    }
    let title = match wanted.title.as_deref().map(text::title).transpose()? {
        Some(title) if !title.is_empty() => title,
        Some(_) | None => text::title_of(&filename),
    };
    let description = text::description(wanted.description.as_deref().unwrap_or_default())?;
    let upload = NewUpload { filename, file_size: wanted.file_size, title, description };
    Ok((StatusCode::CREATED, Json(issue(&app.engines, upload).await?)))
}

problems!(Problems: BadJson, BadField, BodyTooSlow, TooLarge, BodyTooLarge, NotJson);
