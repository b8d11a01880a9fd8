//! One PUT of a whole file to a presigned URL: streamed, watched for stalls, tried again a bounded
//! number of times. The file is read again from its start at every try.

use std::{
    ffi::OsStr,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use reqwest::{Body, Client, Response, StatusCode, header::CONTENT_LENGTH};
use tokio::{fs::File, io::AsyncReadExt};
use tokio_util::io::ReaderStream;

use super::{
    api::{Ticket, pause, plain},
    error::ClientError,
};

/// How long no byte may move, the wait for the answer to the last one included. A bucket may copy or
/// hash 5 GiB before it answers.
pub(super) const STALL: Duration = Duration::from_secs(120);
const TRIES: u32 = 5;
/// Read and sent at once, bytes.
const PIECE: usize = 256 << 10;
/// Of an error's XML nothing further is looked at, bytes.
const MAX_ERROR: usize = 64 << 10;
/// How often the bar moves and a stall is looked for.
const TICK: Duration = Duration::from_millis(100);

/// The size that the ticket is asked for, bytes.
pub(super) async fn size(file: &Path) -> Result<u64, ClientError> {
    let unreadable = |error| ClientError::File { file: file.into(), error };
    let facts = tokio::fs::metadata(file).await.map_err(unreadable)?;
    if !facts.is_file() {
        return Err(unreadable(io::Error::other("not a file")));
    }
    // Opened here too, so that no ticket is drawn for what cannot be read.
    File::open(file).await.map_err(unreadable)?;
    Ok(facts.len())
}

/// What the server shows as the file's name: the last part, as text.
pub(super) fn name(file: &Path) -> String {
    file.file_name().unwrap_or(OsStr::new("video")).to_string_lossy().into_owned()
}

/// Stores `file` under the ticket's URL; `sent` hears how many bytes of this try were read so far.
/// 412 means that an earlier try stored it.
pub(super) async fn put(
    ticket: &Ticket,
    file: &Path,
    size: u64,
    sent: &(dyn Fn(u64) + Sync),
) -> Result<(), ClientError> {
    let http = plain()?;
    let mut tries = 1;
    loop {
        let failure = match once(&http, ticket, file, size, sent).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if self::size(file).await? != size {
            return Err(ClientError::FileChanged(file.into()));
        }
        if tries == TRIES || !passing(&failure) {
            return Err(failure);
        }
        tokio::time::sleep(pause(tries)).await;
        tries += 1;
    }
}

async fn once(
    http: &Client,
    ticket: &Ticket,
    file: &Path,
    size: u64,
    sent: &(dyn Fn(u64) + Sync),
) -> Result<(), ClientError> {
    let read = Arc::new(AtomicU64::new(0));
    let open =
        File::open(file).await.map_err(|error| ClientError::File { file: file.into(), error })?;
    let counter = Arc::clone(&read);
    // Never more than was declared, whatever is appended meanwhile.
    let pieces = ReaderStream::with_capacity(open.take(size), PIECE).inspect(move |piece| {
        if let Ok(piece) = piece {
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
    });
    let mut request = http.put(&ticket.presigned_url).header(CONTENT_LENGTH, size);
    for (name, value) in &ticket.headers {
        request = request.header(name, value);
    }
    // An empty stream would be sent in chunks; an empty body says its length by itself.
    let body = if size == 0 { Body::from("") } else { Body::wrap_stream(pieces) };
    let exchange = async {
        let response = request.body(body).send().await.map_err(bucket)?;
        judge(response).await
    };
    tokio::pin!(exchange);
    let mut moved = (0, tokio::time::Instant::now());
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            judged = &mut exchange => return judged,
            now = tick.tick() => {
                let so_far = read.load(Ordering::Relaxed);
                if so_far != moved.0 {
                    moved = (so_far, now);
                    sent(so_far);
                } else if now.duration_since(moved.1) > STALL {
                    return Err(ClientError::Stalled("the bucket"));
                }
            }
        }
    }
}

async fn judge(mut response: Response) -> Result<(), ClientError> {
    let status = response.status();
    if status.is_success() || status == StatusCode::PRECONDITION_FAILED {
        return Ok(());
    }
    let mut xml = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(bucket)? {
        xml.extend_from_slice(&piece);
        if xml.len() > MAX_ERROR {
            break;
        }
    }
    let xml = String::from_utf8_lossy(&xml);
    let code = xml.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    Err(ClientError::Bucket {
        status: status.as_u16(),
        code: code.map_or(String::new(), |(code, _)| code.into()),
    })
}

fn passing(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } | ClientError::Stalled(_) => true,
        ClientError::Bucket { status, .. } => matches!(status, 408 | 409 | 429 | 500..),
        _ => false,
    }
}

fn bucket(error: reqwest::Error) -> ClientError {
    ClientError::Unreachable { what: "the bucket", error }
}
