//! `POST /upload/video`: an address that takes exactly the declared file.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reelpin_schema::keys;
use reelpin_schema::settings::MAX_UPLOAD;
use reelpin_schema::video::{self, NewVideo};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::Shared;
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

/// How to upload it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ticket {
    /// The video that it will be.
    video_id: Uuid,
    /// Where to PUT the file's bytes. Whoever has it can upload: keep it to yourself.
    presigned_url: String,
    /// The key of the object.
    s3_path: String,
    /// Headers to send with the PUT, exactly these.
    headers: BTreeMap<String, String>,
    /// When the address stops to take an upload.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    expires_at: OffsetDateTime,
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
    let (id, file_id) = (Uuid::now_v7(), Uuid::new_v4());
    let new = NewVideo {
        id,
        file_id,
        title,
        description,
        filename,
        file_path: keys::original(id, file_id),
        file_size: wanted.file_size,
        ticket: time::Duration::seconds(VALID.as_secs().cast_signed()),
        look_after: LOOK_AFTER,
    };
    let s3_path = new.file_path.clone();
    let once = app.engines.upload_once;
    let put = app.engines.bucket.presign_put(&s3_path, new.file_size, VALID, once).await?;
    let expires_at = app
        .engines
        .db
        .run_tx("upload.ticket", async move |tx| {
            let new = new.clone();
            video::insert(tx, &new).await
        })
        .await
        .map_err(Problem::from)?;
    let ticket =
        Ticket { video_id: id, presigned_url: put.url, s3_path, headers: put.headers, expires_at };
    Ok((StatusCode::CREATED, Json(ticket)))
}

problems!(Problems: BadJson, BadField, BodyTooSlow, TooLarge, BodyTooLarge, NotJson);
