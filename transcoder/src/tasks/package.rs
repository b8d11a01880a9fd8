//! The task `package`: final playlists with measured values, an MP4 for each rung, and the folder
//! of all that can be played.

mod mp4s;
mod playlists;

use reelpin_plan::playlist;
use reelpin_schema::cid::Directory;
use reelpin_schema::file::{self, NewFile, Role};
use reelpin_schema::pin;
use reelpin_schema::task::Lease;
use reelpin_schema::transcode::{self, Format};
use reelpin_schema::video::{self, Completed};

use super::{plan_of, video_of};
use crate::encoder::Hls;
use crate::error::{Cause, TaskError};
use crate::published::{Published, segments};
use crate::work::Work;

pub(super) async fn run(work: &Work, lease: &Lease) -> Result<(), TaskError> {
    let video = video_of(work, lease).await?;
    let plan = plan_of(&video)?;
    let all = renditions(work, lease).await?;
    let poster = poster(work, lease).await?;
    let target = playlist::target_duration(
        plan.target_duration,
        all.iter().flat_map(|hls| &hls.segments).map(|s| s.duration_ticks),
    );
    let mut folder = Published::new(video.id);
    let mut packaged = Vec::with_capacity(all.len());
    for hls in &all {
        let done = playlists::media(work, lease, target, hls).await?;
        folder.add_hls(&hls.row, &hls.segments)?;
        folder.add(&done.path, &done.cid, done.playlist_size)?;
        packaged.push(done);
    }
    let master = playlists::master(work, lease, &plan, &all, &packaged).await?;
    folder.set_master(&master.path, &master.cid, master.size)?;
    let mp4s = mp4s::make(work, lease, target, &all).await?;
    for stored in mp4s.iter().filter_map(|m| m.stored.as_ref()) {
        folder.add(&stored.path, &stored.cid, stored.size)?;
    }
    if let Some(poster) = &poster {
        folder.add(&poster.path, &poster.cid, poster.size)?;
    }
    let root_cid = Directory::build(folder.entries())?.cid.to_string();
    let pins = work.pins(pin::Role::Published, &root_cid);
    let duration_ticks = all
        .iter()
        .map(|hls| hls.segments.iter().map(|s| s.duration_ticks).sum())
        .max()
        .unwrap_or(plan.duration);
    let done = Completed { duration_ticks, packaged, mp4s, master, root_cid, pins };
    let held = lease.clone();
    work.db()
        .run_tx("package.finish", async move |tx| video::completed(tx, &held, &done).await)
        .await?;
    work.encoder.forget(video.id);
    Ok(())
}

/// The HLS renditions, lowest rung first, the audio last.
async fn renditions(work: &Work, lease: &Lease) -> Result<Vec<Hls>, TaskError> {
    let id = lease.video();
    let rows =
        work.db().run_tx("package.rows", async move |tx| transcode::of_video(tx, id).await).await?;
    let mut all = Vec::new();
    for row in rows.into_iter().filter(|row| row.format == Format::Hls) {
        if row.stored_at.is_none() || row.init_path.is_none() {
            return Err(Cause::Row("a rendition is not stored whole").into());
        }
        let segments = segments(work.db(), row.id).await?;
        all.push(Hls { row, segments });
    }
    Ok(all)
}

async fn poster(work: &Work, lease: &Lease) -> Result<Option<NewFile>, TaskError> {
    let id = lease.video();
    let files =
        work.db().run_tx("package.files", async move |tx| file::of_video(tx, id).await).await?;
    Ok(files.into_iter().find(|f| f.role == Role::Poster))
}
