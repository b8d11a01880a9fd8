//! An object on its way out.
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use s3s::dto::StreamingBlob;

/// Read at once, in bytes.
const CHUNK: u64 = 512 << 10;
/// Chunks being read or waiting to be sent.
const AHEAD: usize = 2;

/// The bytes of this range, which lies within the file.
pub(crate) fn stream(file: File, range: Range<u64>) -> StreamingBlob {
    let file = Arc::new(file);
    let starts = (range.start..range.end).step_by(usize::try_from(CHUNK).unwrap_or(1));
    let chunks = stream::iter(starts).map(move |start| {
        let file = Arc::clone(&file);
        let length = CHUNK.min(range.end - start);
        tokio::task::spawn_blocking(move || read(&file, start, length))
    });
    let chunks = chunks.buffered(AHEAD);
    StreamingBlob::wrap(chunks.map(|chunk| chunk.map_err(io::Error::other).flatten()))
}

fn read(file: &File, start: u64, length: u64) -> io::Result<Bytes> {
    let mut room = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact_at(&mut room, start)?;
    Ok(room.into())
}
