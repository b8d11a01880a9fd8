//! The bytes of an MP4 in their order, each segment read once, on its way from the bucket to the bucket.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use reelpin_plan::mp4::{Layout, Piece};
use reelpin_schema::bucket::{Bucket, Flow};
use reelpin_schema::cid::{File, FileDag};

use super::Hls;
use crate::error::{Cause, TaskError};

/// Segments of a rendition that are read before they are needed, so that the bucket's answer is not waited for.
const AHEAD: usize = 2;

/// A file that is laid out, and what it is made of.
pub(super) struct Film {
    bucket: Bucket,
    layout: Layout,
    /// Key and bytes of the segments of each track.
    segments: Vec<Vec<(String, u64)>>,
    end: Mutex<End>,
}

/// How a sending ended.
#[derive(Default)]
struct End {
    made: Option<File>,
    failure: Option<TaskError>,
}

impl Film {
    pub(super) fn new(bucket: Bucket, layout: Layout, renditions: &[&Hls]) -> Self {
        let segments = renditions
            .iter()
            .map(|hls| hls.segments.iter().map(|s| (s.path.clone(), s.size)).collect());
        Self { bucket, layout, segments: segments.collect(), end: Mutex::default() }
    }

    /// The file's bytes, from the beginning each time they are asked for.
    pub(super) fn flow(self: &Arc<Self>) -> Flow {
        let film = Arc::clone(self);
        Flow::new(film.layout.size(), move || {
            let reading = Reading::new(Arc::clone(&film));
            let film = Arc::clone(&film);
            let pieces = stream::try_unfold(reading, async |mut reading| {
                let piece = reading.next().await?;
                Ok::<_, TaskError>(piece.map(|piece| (piece, reading)))
            });
            let told = pieces.map_err(move |e| {
                let words = e.to_string();
                film.end().failure = Some(e);
                words.into()
            });
            told.boxed()
        })
    }

    /// Content id and size of the file that was sent. A bucket that has it already may not have asked for all
    /// of its bytes; then they are read once more.
    pub(super) async fn made(self: &Arc<Self>) -> Result<File, TaskError> {
        if let Some(made) = self.end().made.take() {
            return Ok(made);
        }
        let mut reading = Reading::new(Arc::clone(self));
        while reading.next().await?.is_some() {}
        self.end().made.take().ok_or_else(|| Cause::Row("an MP4 has no end").into())
    }

    /// Why the last sending broke off, if that was on this side.
    pub(super) fn failure(&self) -> Option<TaskError> {
        self.end().failure.take()
    }

    fn end(&self) -> std::sync::MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The segments of a track in their order.
    fn track(self: &Arc<Self>, number: usize) -> BoxStream<'static, Result<Bytes, TaskError>> {
        let film = Arc::clone(self);
        let count = self.segments.get(number).map_or(0, Vec::len);
        stream::iter(0..count)
            .map(move |nth| {
                let film = Arc::clone(&film);
                async move { film.segment(number, nth).await }
            })
            .buffered(AHEAD)
            .boxed()
    }

    async fn segment(&self, track: usize, nth: usize) -> Result<Bytes, TaskError> {
        let segment = self.segments.get(track).and_then(|segments| segments.get(nth));
        let (key, size) = segment.ok_or(Cause::Row("a segment is missing"))?;
        let bytes = self.bucket.get_bytes(key, *size).await?;
        if bytes.len() as u64 == *size {
            Ok(bytes)
        } else {
            Err(Cause::Row("a stored segment has another size than its row").into())
        }
    }
}

/// One pass over a film.
struct Reading {
    film: Arc<Film>,
    tracks: Vec<Reader>,
    dag: FileDag,
    /// Pieces that are done; `None`: not even the head.
    done: Option<usize>,
}

/// Where a pass is in one track.
struct Reader {
    segments: BoxStream<'static, Result<Bytes, TaskError>>,
    /// How many segments have come, and the last of them.
    come: u32,
    at_hand: Bytes,
}

impl Reading {
    fn new(film: Arc<Film>) -> Self {
        let readers = (0..film.segments.len()).map(|number| Reader {
            segments: film.track(number),
            come: 0,
            at_hand: Bytes::new(),
        });
        Self { tracks: readers.collect(), film, dag: FileDag::new(), done: None }
    }

    /// The next bytes; `None` at the end, which the film then knows of.
    async fn next(&mut self) -> Result<Option<Bytes>, TaskError> {
        let film = Arc::clone(&self.film);
        let pieces = film.layout.pieces();
        let (bytes, done) = match self.done {
            None => (Bytes::copy_from_slice(film.layout.head()), 0),
            Some(done) => match pieces.get(done) {
                Some(piece) => (self.piece(piece).await?, done + 1),
                None => return Ok(None),
            },
        };
        let mut dag = std::mem::take(&mut self.dag);
        let hashed = bytes.clone();
        let hashing = tokio::task::spawn_blocking(move || {
            dag.push(&hashed);
            dag
        });
        self.dag = hashing.await.map_err(|_| Cause::Panic)?;
        self.done = Some(done);
        // Before the last bytes go: nobody asks for more once all have come.
        if done == pieces.len() {
            film.end().made = Some(std::mem::take(&mut self.dag).finish());
        }
        Ok(Some(bytes))
    }

    async fn piece(&mut self, piece: &Piece) -> Result<Bytes, TaskError> {
        let reader = self.tracks.get_mut(piece.track).ok_or(Cause::Row("a track is missing"))?;
        while reader.come <= piece.segment {
            let next = reader.segments.try_next().await?;
            reader.at_hand = next.ok_or(Cause::Row("a segment is missing"))?;
            reader.come += 1;
        }
        let slice = |range: &std::ops::Range<u32>| {
            let (from, to) = (usize::try_from(range.start).ok()?, usize::try_from(range.end).ok()?);
            (from <= to && to <= reader.at_hand.len()).then(|| reader.at_hand.slice(from..to))
        };
        let slices: Option<Vec<Bytes>> = piece.ranges.iter().map(slice).collect();
        let slices = slices.ok_or(Cause::Row("a sample lies outside its segment"))?;
        Ok(match <[Bytes; 1]>::try_from(slices) {
            Ok([one]) => one,
            Err(several) => several.concat().into(),
        })
    }
}
