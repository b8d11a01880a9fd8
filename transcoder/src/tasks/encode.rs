//! The task `encode`: one ffmpeg makes every rung of a stretch; we cut, hash, store and commit the
//! segments as they come.

use reelpin_plan::argv;
use reelpin_plan::fmp4::{self, Item};
use reelpin_plan::segmenter::{Segment, Segmenter};
use reelpin_plan::{Plan, Stretch, VideoPlan};
use reelpin_schema::event::{self, Event};
use reelpin_schema::task::{self, Lease};
use reelpin_schema::transcode::{self, Format, Transcode};
use reelpin_schema::{segment, video};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc;

use super::store::Store;
use super::{plan_of, video_of};
use crate::error::{Cause, TaskError};
use crate::media;
use crate::work::Work;

/// Segments of a rung between its reader and the bucket; ffmpeg waits when they are full.
const SEGMENTS: usize = 2;

/// Bytes read from a pipe at a time; a pipe holds at most 1 MiB.
const PIECE: usize = 256 << 10;

/// What a rung's reader hands to the bucket.
enum Made {
    Init(fmp4::Init),
    Segment(Segment),
}

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let plan = plan_of(&video)?;
    let picture = plan.video.as_ref().ok_or(Cause::Row("the plan has no picture"))?;
    let place = usize::try_from(lease.place()).map_err(|_| Cause::Row("a stretch's place"))?;
    let stretch = picture.stretches.get(place).ok_or(Cause::Row("the plan has no such stretch"))?;
    let rows = rungs(work, lease, picture).await?;
    if let Some(rest) = rest_of(work, picture, stretch, &rows).await? {
        let original = work.originals.get(work, &video).await?;
        encode(work, lease, &plan, picture, &rest, &rows, &original.path()).await?;
    }
    finish(work, lease, picture, &rows).await
}

/// The rows of the rungs, in the plan's order.
async fn rungs(
    work: &Work,
    lease: &Lease,
    picture: &VideoPlan,
) -> Result<Vec<Transcode>, TaskError> {
    let id = lease.video();
    let all =
        work.db().run_tx("encode.rows", async move |tx| transcode::of_video(tx, id).await).await?;
    picture
        .rungs
        .iter()
        .map(|rung| {
            all.iter()
                .find(|row| row.format == Format::Hls && row.resolution == rung.name)
                .cloned()
                .ok_or_else(|| Cause::Row("a planned rung has no row").into())
        })
        .collect()
}

/// What an earlier attempt left to do of a stretch: from the lowest sequence that any rung lacks.
/// `None` when nothing is left.
async fn rest_of(
    work: &Work,
    picture: &VideoPlan,
    stretch: &Stretch,
    rows: &[Transcode],
) -> Result<Option<Stretch>, TaskError> {
    let mut lowest = stretch.end_sequence;
    for row in rows {
        let (id, from, end) = (row.id, stretch.first_sequence, stretch.end_sequence);
        let lacks = work
            .db()
            .run_tx("encode.lacks", async move |tx| segment::first_missing(tx, id, from, end).await)
            .await?;
        lowest = lowest.min(lacks);
    }
    Ok((lowest < stretch.end_sequence).then(|| picture.resume(stretch, lowest)))
}

async fn encode(
    work: &Work,
    lease: &Lease,
    plan: &Plan,
    picture: &VideoPlan,
    stretch: &Stretch,
    rows: &[Transcode],
    original: &std::path::Path,
) -> Result<(), TaskError> {
    let folder = work.folders.folder()?;
    let argv = argv::encode(plan, stretch, &media::text(original)?, media::FIRST_PIPE);
    let mut child =
        media::start(work, &argv, folder.path(), &[original.to_owned()], rows.len()).await?;
    let store = Store::new(work, lease, picture.grid.len());
    let mut lines = Vec::with_capacity(rows.len());
    for (number, row) in rows.iter().enumerate() {
        let pipe = child.take_pipe(number).ok_or(Cause::Row("a pipe is missing"))?;
        lines.push(rung(&store, row, pipe, Segmenter::new(&picture.grid, stretch)));
    }
    let stored = futures_util::future::try_join_all(lines).await;
    let ended = child.wait().await;
    // A broken pipe or a short one is most often the program's end told twice: its own word first.
    media::ended(argv.program, ended, stored.as_ref().err())?;
    stored?;
    Ok(())
}

/// Reads one rung's pipe and stores what comes out, side by side.
async fn rung(
    store: &Store<'_>,
    row: &Transcode,
    pipe: impl AsyncRead + Unpin,
    segmenter: Segmenter,
) -> Result<(), TaskError> {
    let (made, mut ready) = mpsc::channel(SEGMENTS);
    let keep = async {
        let mut opened = None;
        while let Some(next) = ready.recv().await {
            match next {
                Made::Init(init) => opened = Some(store.open(row, &init).await?),
                Made::Segment(segment) => {
                    let opened = opened.as_ref().ok_or(Cause::Row("a segment before its init"))?;
                    store.segment(row, opened, segment).await?;
                }
            }
        }
        Ok(())
    };
    let ((), ()) = tokio::try_join!(cut(pipe, segmenter, made), keep)?;
    Ok(())
}

async fn cut(
    mut pipe: impl AsyncRead + Unpin,
    mut segmenter: Segmenter,
    made: mpsc::Sender<Made>,
) -> Result<(), TaskError> {
    let mut reader = fmp4::Reader::default();
    let mut piece = vec![0; PIECE];
    loop {
        let read = pipe.read(&mut piece).await?;
        if read == 0 {
            break;
        }
        reader.push(&piece[..read])?;
        while let Some(item) = reader.next()? {
            let next = match item {
                Item::Init(init) => Some(Made::Init(init)),
                Item::Fragment(fragment) => segmenter.push(fragment)?.map(Made::Segment),
            };
            if let Some(next) = next
                && made.send(next).await.is_err()
            {
                return Ok(()); // The other side failed, and says why.
            }
        }
    }
    reader.finish()?;
    if let Some(last) = segmenter.finish()? {
        // As above.
        let _ = made.send(Made::Segment(last)).await;
    }
    Ok(())
}

async fn finish(
    work: &Work,
    lease: &Lease,
    picture: &VideoPlan,
    rows: &[Transcode],
) -> Result<(), TaskError> {
    let (held, planned) = (lease.clone(), i64::from(picture.grid.len()));
    let rungs: Vec<_> = rows.iter().map(|row| (row.id, row.resolution.clone())).collect();
    work.db()
        .run_tx("encode.finish", async move |tx| {
            task::finish(tx, &held).await?;
            let counts = segment::counts(tx, held.video()).await?;
            for (id, resolution) in &rungs {
                let whole = counts.iter().any(|(r, stored)| r == resolution && *stored == planned);
                if whole && transcode::set_stored(tx, *id).await? {
                    let event = Event::RungCompleted { resolution: resolution.clone() };
                    event::append(tx, held.video(), &event).await?;
                }
            }
            video::playable(tx, held.video()).await?;
            Ok::<_, TaskError>(())
        })
        .await
}
