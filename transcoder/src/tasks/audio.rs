//! The task `audio`: the sound as a rendition of its own, cut at or before each cut of the picture.

use std::collections::HashSet;

use reelpin_plan::fmp4::{self, Part};
use reelpin_plan::{Packer, Plan, Segment, argv};
use reelpin_schema::event::{self, Event};
use reelpin_schema::failure::Failure;
use reelpin_schema::task::{self, Lease};
use reelpin_schema::transcode::{self, Format, Transcode};
use reelpin_schema::video;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use super::store::{Opened, Store};
use super::{plan_of, video_of};
use crate::error::{Cause, TaskError};
use crate::media;
use crate::work::Work;

/// Bytes read from the pipe at a time: about 4 s of 128 kbit/s.
const PIECE: usize = 64 << 10;

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let plan = plan_of(&video)?;
    let row = row(work, lease).await?;
    if row.stored_at.is_none() {
        let original = work.originals.get(work, &video).await?;
        encode(work, lease, &plan, &row, &original.path()).await.map_err(blame)?;
    }
    let held = lease.clone();
    work.db()
        .run_tx("audio.finish", async move |tx| {
            task::finish(tx, &held).await?;
            if transcode::set_stored(tx, row.id).await? {
                let event = Event::RungCompleted { resolution: row.resolution.clone() };
                event::append(tx, held.video(), &event).await?;
            }
            video::playable(tx, held.video()).await?;
            Ok::<_, TaskError>(())
        })
        .await
}

/// Sound of which nothing can be decoded is the upload's fault.
fn blame(e: TaskError) -> TaskError {
    let silent = match &e {
        TaskError::Ours(Cause::Mismatch(mismatch)) => mismatch.is_theirs(),
        TaskError::Ours(Cause::Fmp4(e)) => *e == fmp4::Error::Empty,
        _ => false,
    };
    if !silent {
        return e;
    }
    TaskError::Theirs(Failure::new(
        "no_sound",
        "No sound can be decoded from this file, although it says that it has some.",
        "The file may be cut off or damaged: export it again and upload that.",
    ))
}

async fn row(work: &Work, lease: &Lease) -> Result<Transcode, TaskError> {
    let id = lease.video();
    let all =
        work.db().run_tx("audio.row", async move |tx| transcode::of_video(tx, id).await).await?;
    let found = all.into_iter().find(|row| row.format == Format::Hls && row.is_audio());
    Ok(found.ok_or(Cause::Row("the planned audio has no row"))?)
}

async fn encode(
    work: &Work,
    lease: &Lease,
    plan: &Plan,
    row: &Transcode,
    original: &std::path::Path,
) -> Result<(), TaskError> {
    let folder = work.folders.folder()?;
    let argv = argv::audio(plan, &media::text(original)?, media::FIRST_PIPE)
        .ok_or(Cause::Row("the plan has no audio"))?;
    let mut child = media::start(work, &argv, folder.path(), &[original.to_owned()], 1).await?;
    let pipe = child.take_pipe(0).ok_or(Cause::Row("a pipe is missing"))?;
    let store = Store::new(work, lease, plan.grid.n_segments());
    let stored = pack(&store, plan, row, pipe).await;
    media::ended(argv.program, child, stored).await
}

async fn pack(
    store: &Store<'_>,
    plan: &Plan,
    row: &Transcode,
    mut pipe: impl tokio::io::AsyncRead + Unpin,
) -> Result<(), TaskError> {
    let known = store.known(row).await?;
    let mut reader = fmp4::Reader::new();
    let mut packer = Packer::new(&plan.grid);
    let mut opened: Option<Opened> = None;
    let mut piece = vec![0; PIECE];
    loop {
        let read =
            timeout(media::SILENCE, pipe.read(&mut piece)).await.map_err(|_| Cause::Silent)??;
        if read == 0 {
            break;
        }
        for part in reader.push(&piece[..read])? {
            match part {
                Part::Init(init) => opened = Some(store.open(row, &init).await?),
                Part::Fragment(fragment) => {
                    keep(store, row, &opened, &known, packer.push(&fragment)?).await?;
                }
            }
        }
    }
    reader.finish()?;
    keep(store, row, &opened, &known, packer.finish()?).await
}

async fn keep(
    store: &Store<'_>,
    row: &Transcode,
    opened: &Option<Opened>,
    known: &HashSet<u32>,
    segments: Vec<Segment>,
) -> Result<(), TaskError> {
    let opened = opened.as_ref().ok_or(Cause::Row("a fragment before its init"))?;
    for segment in segments.into_iter().filter(|segment| !known.contains(&segment.sequence)) {
        store.segment(row, opened, segment).await?;
    }
    Ok(())
}
