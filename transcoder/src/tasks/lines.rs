//! Between the encoder and the store: a line for each rendition of a task, with what it has already.

use std::collections::HashSet;

use reelpin_plan::{Plan, Run};
use reelpin_schema::task::Lease;
use reelpin_schema::transcode::{self, Format, Transcode};
use reelpin_schema::video::Video;
use tokio::sync::mpsc;

use super::store::{SEGMENTS, Store};
use crate::error::{Cause, TaskError};
use crate::published::segments;
use crate::work::Work;

/// A rendition and the sequences of its segments that are stored.
pub(super) struct Line {
    pub(super) row: Transcode,
    pub(super) known: HashSet<u32>,
}

impl Line {
    /// How many segments are stored from `first` on without a hole.
    pub(super) fn stored(&self, first: u32) -> u32 {
        let mut next = first;
        while self.known.contains(&next) {
            next += 1;
        }
        next - first
    }
}

/// The HLS renditions of the lease's video, lowest rung first, the sound last.
pub(super) async fn lines(work: &Work, lease: &Lease) -> Result<Vec<Line>, TaskError> {
    let id = lease.video();
    let rows =
        work.db().run_tx("task.lines", async move |tx| transcode::of_video(tx, id).await).await?;
    let mut lines = Vec::new();
    for row in rows.into_iter().filter(|row| row.format == Format::Hls) {
        let stored = segments(work.db(), row.id).await?;
        let known = stored.into_iter().map(|segment| segment.sequence).collect();
        lines.push(Line { row, known });
    }
    Ok(lines)
}

/// The lines of the plan's rungs, in its order.
pub(super) fn rungs<'a>(plan: &Plan, lines: &'a [Line]) -> Result<Vec<&'a Line>, TaskError> {
    let picture = plan.video.as_ref().ok_or(Cause::Row("the plan has no picture"))?;
    let of = |name: &str| lines.iter().find(|line| line.row.resolution == name);
    let found = picture
        .rungs
        .iter()
        .map(|rung| of(&rung.name).ok_or_else(|| Cause::Row("a planned rung has no row").into()));
    found.collect()
}

/// The line of the sound.
pub(super) fn sound(lines: &[Line]) -> Result<&Line, TaskError> {
    let found = lines.iter().find(|line| line.row.is_audio());
    found.ok_or_else(|| Cause::Row("the planned audio has no row").into())
}

/// Encodes a run and stores what it makes.
pub(super) async fn picture(
    work: &Work,
    store: &Store<'_>,
    video: &Video,
    plan: &Plan,
    run: &Run,
    rungs: &[&Line],
) -> Result<(), TaskError> {
    let (mut out, mut kept) = (Vec::new(), Vec::new());
    for part in &run.parts {
        let line = rungs.get(part.rung).ok_or(Cause::Row("a run of a rung that is not there"))?;
        let (made, ready) = mpsc::channel(SEGMENTS);
        out.push(made);
        kept.push(store.keep(&line.row, part.first, &line.known, ready));
    }
    // What cannot be stored ends the encode at once.
    let kept = futures_util::future::try_join_all(kept);
    let made = work.encoder.encode(work.bucket(), video, plan, run, out);
    futures_util::future::try_join(kept, made).await?;
    Ok(())
}

/// Makes the sound, up to `until` ticks at least, and stores it.
pub(super) async fn hear(
    work: &Work,
    store: &Store<'_>,
    video: &Video,
    plan: &Plan,
    until: Option<u64>,
    line: &Line,
) -> Result<(), TaskError> {
    let (out, made) = mpsc::channel(SEGMENTS);
    let encoded = work.encoder.audio(work.bucket(), video, plan, until, out);
    let kept = store.keep(&line.row, 0, &line.known, made);
    futures_util::future::try_join(kept, encoded).await?;
    Ok(())
}
