//! A rendition's samples, from the tables of its stored segments.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reelpin_plan::fmp4::{Heads, Init, Part, Reader, Sample, Want};
use reelpin_plan::mp4::Track;
use reelpin_schema::bucket::Bucket;
use reelpin_schema::segment::Segment;

use super::Hls;
use crate::error::{Cause, TaskError};

/// Segments whose tables are read at once: a film of 2 h has some 1800, at 20 ms each over a network.
const AT_ONCE: usize = 16;

pub(super) async fn track(bucket: &Bucket, hls: &Hls) -> Result<Track, TaskError> {
    let init = init(bucket, hls).await?;
    let mut track = Track::new(&init)?;
    let mut asked = Vec::with_capacity(hls.segments.len());
    for segment in &hls.segments {
        asked.push(samples(bucket, &init, segment));
    }
    let mut told = stream::iter(asked).buffered(AT_ONCE);
    while let Some(samples) = told.try_next().await? {
        track.segment(&samples)?;
    }
    Ok(track)
}

async fn init(bucket: &Bucket, hls: &Hls) -> Result<Init, TaskError> {
    let row = &hls.row;
    let (Some(path), Some(size)) = (&row.init_path, row.init_size) else {
        return Err(Cause::Row("a rendition has no init segment").into());
    };
    let bytes = bucket.get_bytes(path, size).await?;
    match Reader::new().push(&bytes)?.pop() {
        Some(Part::Init(init)) => Ok(init),
        _ => Err(Cause::Row("a stored init segment is none").into()),
    }
}

async fn samples(
    bucket: &Bucket,
    init: &Init,
    segment: &Segment,
) -> Result<Vec<Sample>, TaskError> {
    let mut heads = Heads::new(init, segment.size);
    loop {
        match heads.want() {
            Want::Done(samples) => return Ok(samples),
            Want::Bytes { offset, length } => {
                heads.give(&bucket.get_part(&segment.path, offset, length).await?)?;
            }
        }
    }
}
