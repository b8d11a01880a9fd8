//! Workers that claim tasks and do them by their rows alone, and sweepers.

use std::time::Duration;

use reelpin_schema::db::{DbError, Tx};
use reelpin_schema::event::{self, Event};
use reelpin_schema::failure::Failure;
use reelpin_schema::file::{self, NewFile, Role};
use reelpin_schema::pin::{self, NewPin};
use reelpin_schema::segment::{self, Segment};
use reelpin_schema::task::{self, Kind, Lease, NewTask, State};
use reelpin_schema::transcode::{self, AUDIO, Format, NewRendition};
use reelpin_schema::video::{self, Completed, Digested, Planned, Postered, StepError};
use uuid::Uuid;

use super::Stage;

/// Stretches of each video, and segments of a stretch.
const STRETCHES: i64 = 3;
const SEGMENTS: u32 = 4;

/// Does tasks until there is none, once the trouble is over.
pub(super) async fn work(stage: Stage) {
    loop {
        let token = Uuid::new_v4();
        let claimed = stage
            .db
            .run_tx("stress.claim", async move |tx| {
                task::claim(tx, token, "w", &task::Wanted::of(&Kind::ALL)).await
            })
            .await;
        // Whoever has tried in vain often enough is as one that died: another comes later.
        if matches!(claimed, Err(DbError::Contended { .. })) {
            stage.gave_up();
            continue;
        }
        let Some(lease) = claimed.unwrap() else {
            if stage.is_calm() {
                return;
            }
            match take_over(&stage).await {
                Ok(()) => {}
                Err(DbError::Contended { .. }) => stage.gave_up(),
                Err(e) => panic!("take over: {e}"),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        let fate = if stage.is_calm() { 100 } else { rand::random_range(0..100) };
        // Some die at once, and some go away for longer than a sweeper's patience.
        match fate {
            0..6 => continue,
            6..12 => tokio::time::sleep(Duration::from_millis(60)).await,
            _ => {}
        }
        let done = if (12..16).contains(&fate) {
            fail(&stage, &lease).await
        } else {
            one(&stage, &lease).await
        };
        match done {
            Ok(()) | Err(StepError::Db(DbError::LeaseLost) | StepError::Bad(_)) => {}
            Err(StepError::Db(DbError::Contended { .. })) => stage.gave_up(),
            Err(e) => panic!("{:?}: {e}", lease.kind()),
        }
    }
}

/// Takes tasks from workers as if their leases had expired.
pub(super) async fn sweep(stage: Stage) {
    while !stage.is_calm() {
        last_sweep(&stage).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// One sweep, with what a dead task means for its video.
pub(super) async fn last_sweep(stage: &Stage) {
    let swept = stage
        .db
        .run_tx("stress.sweep", async move |tx| {
            for ended in task::sweep(tx, 50).await? {
                if ended.state == State::Dead && ended.kind.fails_video() {
                    video::fail(tx, ended.video, &Failure::internal()).await?;
                }
            }
            Ok::<_, StepError>(())
        })
        .await;
    match swept {
        Ok(()) => {}
        Err(StepError::Db(DbError::Contended { .. })) => stage.gave_up(),
        Err(e) => panic!("sweep: {e}"),
    }
}

async fn fail(stage: &Stage, lease: &Lease) -> Result<(), StepError> {
    let lease = lease.clone();
    stage
        .db
        .run_tx("stress.give_back", async move |tx| {
            let ended = task::give_back(tx, &lease, time::Duration::ZERO, "planned").await?;
            if ended.state == State::Dead && ended.kind.fails_video() {
                video::fail(tx, ended.video, &Failure::internal()).await?;
            }
            Ok(())
        })
        .await
}

async fn one(stage: &Stage, lease: &Lease) -> Result<(), StepError> {
    match lease.kind() {
        Kind::Probe => probe(stage, lease).await,
        Kind::Starter => {
            store(stage, lease, "480p", 0..1).await?;
            store(stage, lease, AUDIO, 0..1).await?;
            stored(stage, lease, "480p").await
        }
        Kind::Encode | Kind::Copy => {
            let first = u32::try_from(lease.place()).unwrap();
            store(stage, lease, "480p", first..first + SEGMENTS).await?;
            stored(stage, lease, "480p").await
        }
        Kind::Audio => {
            store(stage, lease, AUDIO, 0..u32::try_from(STRETCHES).unwrap() * SEGMENTS).await?;
            stored(stage, lease, AUDIO).await
        }
        Kind::Digest => digest(stage, lease).await,
        Kind::Poster => poster(stage, lease).await,
        Kind::Package => package(stage, lease).await,
        Kind::Pin | Kind::PinService => pinned(stage, lease).await,
        Kind::Delete => delete(stage, lease).await,
    }
}

fn rendition(resolution: &str) -> NewRendition {
    let resolution = resolution.to_owned();
    let (width, height) = (None, None);
    NewRendition { format: Format::Hls, resolution, width, height, copy: false, stored: None }
}

async fn probe(stage: &Stage, lease: &Lease) -> Result<(), StepError> {
    let started = &[Kind::Starter];
    let mut tasks = vec![
        NewTask::of(Kind::Starter),
        NewTask::after(Kind::Poster, started),
        NewTask::after(Kind::Audio, started),
        NewTask::after(Kind::Digest, started),
    ];
    tasks.extend((0..STRETCHES).map(|stretch| {
        let place = stretch * i64::from(SEGMENTS);
        let until = u32::try_from(place).ok().map(|place| place + SEGMENTS);
        NewTask { kind: Kind::Encode, place, until, after: started }
    }));
    let after = &[Kind::Encode, Kind::Audio, Kind::Poster, Kind::Digest];
    tasks.push(NewTask::after(Kind::Package, after));
    let planned = Planned {
        probe: serde_json::json!({}),
        plan: serde_json::json!({ "duration": 1 }),
        probed: Event::Probed { duration: 1.0, width: None, height: None },
        planned: Event::Planned { rungs: vec!["480p".to_owned()], audio: true },
        renditions: vec![rendition("480p"), rendition(AUDIO)],
        tasks,
    };
    let lease = lease.clone();
    stage.db.run_tx("stress.plan", async move |tx| video::planned(tx, &lease, &planned).await).await
}

async fn store(
    stage: &Stage,
    lease: &Lease,
    resolution: &'static str,
    places: std::ops::Range<u32>,
) -> Result<(), StepError> {
    for sequence in places {
        let lease = lease.clone();
        stage
            .db
            .run_tx("stress.segment", async move |tx| {
                let until = task::progressed(tx, &lease).await?;
                if until.is_some_and(|until| sequence >= until) {
                    return Ok(());
                }
                let open = tx
                    .opt(
                        "SELECT 1 AS one FROM attempts WHERE token = $1 AND closed_at IS NULL",
                        &[&lease.token()],
                    )
                    .await?;
                assert!(open.is_some(), "stored under a lease that was taken away");
                let rows = transcode::of_video(tx, lease.video()).await?;
                let Some(row) = rows.iter().find(|row| row.resolution == resolution) else {
                    return Err(StepError::Missing);
                };
                let path = format!("{resolution}/{sequence}-{}", lease.token());
                let segment = Segment {
                    transcode_id: row.id,
                    sequence,
                    path,
                    cid: "cid".to_owned(),
                    duration_ticks: 90_000,
                    size: 1,
                };
                segment::insert(tx, &segment).await?;
                video::grew(tx, lease.video(), row.id, sequence).await
            })
            .await?;
    }
    Ok(())
}

async fn stored(stage: &Stage, lease: &Lease, resolution: &'static str) -> Result<(), StepError> {
    let lease = lease.clone();
    stage
        .db
        .run_tx("stress.stored", async move |tx| {
            task::finish(tx, &lease).await?;
            let counts = segment::counts(tx, lease.video()).await?;
            let all = STRETCHES * i64::from(SEGMENTS);
            if counts.iter().any(|(name, stored)| name == resolution && *stored == all) {
                for row in transcode::of_video(tx, lease.video()).await? {
                    if row.resolution == resolution && transcode::set_stored(tx, row.id).await? {
                        let event = Event::RungCompleted { resolution: resolution.to_owned() };
                        event::append(tx, lease.video(), &event).await?;
                    }
                }
            }
            Ok(())
        })
        .await
}

async fn digest(stage: &Stage, lease: &Lease) -> Result<(), StepError> {
    let (checksum, ipfs_cid) = ("00".to_owned(), "original".to_owned());
    let done = Digested { checksum, ipfs_cid, pins: Vec::new() };
    let lease = lease.clone();
    let step = async move |tx: &Tx| video::digested(tx, &lease, &done).await;
    Ok(stage.db.run_tx("stress.digest", step).await?)
}

/// Takes the far half of a stretch that another one works on.
async fn take_over(stage: &Stage) -> Result<(), DbError> {
    let busy = stage.db.run_tx("stress.busy", async move |tx| task::busy(tx, 8).await).await?;
    let ends = busy.into_iter().filter_map(|busy| Some((busy, busy.until?)));
    if let Some((busy, until)) = ends.max_by_key(|(busy, until)| until - busy.reached) {
        let at = busy.reached.midpoint(until);
        stage.db.run_tx("stress.split", async move |tx| task::split(tx, &busy, at).await).await?;
    }
    Ok(())
}

async fn poster(stage: &Stage, lease: &Lease) -> Result<(), StepError> {
    let lease = lease.clone();
    stage
        .db
        .run_tx("stress.poster", async move |tx| {
            let (path, cid) = (format!("poster-{}", lease.token()), "cid".to_owned());
            let poster = NewFile { role: Role::Poster, path, cid, size: 1 };
            match video::postered(tx, &lease, &poster).await? {
                Postered::Stored => Ok(()),
                Postered::Busy | Postered::Published { .. } => Ok(task::finish(tx, &lease).await?),
            }
        })
        .await
}

async fn package(stage: &Stage, lease: &Lease) -> Result<(), StepError> {
    let path = format!("master-{}", lease.token());
    let done = Completed {
        packaged: Vec::new(),
        mp4s: Vec::new(),
        master: NewFile { role: Role::Master, path, cid: "cid".to_owned(), size: 1 },
        root_cid: format!("root-{}", lease.video()),
        duration_ticks: 90_000,
        pins: vec![NewPin::at_node(pin::Role::Published, format!("root-{}", lease.video()))],
    };
    let lease = lease.clone();
    stage
        .db
        .run_tx("stress.package", async move |tx| video::completed(tx, &lease, &done).await)
        .await
}

async fn pinned(stage: &Stage, lease: &Lease) -> Result<(), StepError> {
    let lease = lease.clone();
    stage
        .db
        .run_tx("stress.pinned", async move |tx| {
            task::finish(tx, &lease).await?;
            for made in pin::of_video(tx, lease.video()).await? {
                pin::set_state(tx, lease.video(), &made, pin::State::Pinned).await?;
            }
            let pinned = Event::Pinned { target: pin::NODE.to_owned(), cid: "root".to_owned() };
            event::append(tx, lease.video(), &pinned).await?;
            Ok(())
        })
        .await
}

async fn delete(stage: &Stage, lease: &Lease) -> Result<(), StepError> {
    let lease = lease.clone();
    stage
        .db
        .run_tx("stress.delete", async move |tx| {
            task::finish(tx, &lease).await?;
            segment::remove(tx, lease.video()).await?;
            transcode::remove(tx, lease.video()).await?;
            file::remove(tx, lease.video()).await?;
            Ok(pin::remove(tx, lease.video()).await?)
        })
        .await
}
