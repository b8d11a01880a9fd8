//! A request's body on its way into a draft.
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use s3s::dto::StreamingBlob;
use s3s::{S3Result, s3_error};
use tokio::task::JoinHandle;

use crate::digest::{Hashed, Hashes, Promise};
use crate::draft::Draft;
use crate::fault::{blocking, ours};
use crate::store::Store;

/// Hashed and written at once, in bytes. As much may be waiting behind it, and no more.
const BATCH: usize = 1 << 20;

/// A draft with its hashes, handed from one batch's thread to the next. No thread waits for a client.
struct Writing {
    draft: Draft,
    hashes: Hashes,
}

/// Writes the body to a draft; it is whole, and what was promised of it holds.
pub(crate) async fn receive(
    store: Arc<Store>,
    body: Option<StreamingBlob>,
    promise: Promise,
) -> S3Result<(Draft, Hashed, Promise)> {
    let hashes = promise.hashes();
    let mut at_work =
        begin(move || Ok(Writing { draft: Draft::new(&store).map_err(ours)?, hashes }));
    let mut batch = Vec::new();
    let mut waiting = 0;
    if let Some(mut body) = body {
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|error| {
                tracing::debug!(%error, "a body ended early");
                s3_error!(IncompleteBody, "the body ended early")
            })?;
            waiting += bytes.len();
            batch.push(bytes);
            if waiting >= BATCH {
                let writing = ended(at_work).await?;
                let full = std::mem::take(&mut batch);
                waiting = 0;
                at_work = begin(move || written(writing, full));
            }
        }
    }
    let promise = promise.with_trailers()?;
    let writing = ended(at_work).await?;
    blocking(move || {
        let Writing { draft, hashes } = written(writing, batch)?;
        let hashed = hashes.finish();
        promise.check(draft.size, &hashed)?;
        Ok((draft, hashed, promise))
    })
    .await
}

fn begin(
    work: impl FnOnce() -> S3Result<Writing> + Send + 'static,
) -> JoinHandle<S3Result<Writing>> {
    tokio::task::spawn_blocking(work)
}

async fn ended(work: JoinHandle<S3Result<Writing>>) -> S3Result<Writing> {
    work.await.map_err(|error| s3_error!(error, InternalError))?
}

fn written(mut writing: Writing, batch: Vec<Bytes>) -> S3Result<Writing> {
    for bytes in batch {
        writing.hashes.update(&bytes);
        writing.draft.write(&bytes).map_err(ours)?;
    }
    Ok(writing)
}
