//! Whole films through a real worker: made, killed, stopped, damaged, refused, deleted.

use std::path::Path;

use reelpin_plan::{Plan, TICKS};
use reelpin_schema::cid::Checksum;
use reelpin_schema::file;
use reelpin_schema::transcode::Format;
use reelpin_schema::video::{self, Status};
use uuid::Uuid;

use crate::studio::Studio;

const SHORT: &str = "-f lavfi -i testsrc2=s=1280x720:r=25:d=5 -f lavfi -i sine=d=5 \
     -c:v libx264 -preset ultrafast -g 40 -c:a aac -shortest";

/// Long enough to be killed in the middle.
const LONG: &str = "-f lavfi -i testsrc2=s=1280x720:r=30:d=24 -f lavfi -i sine=d=24 \
     -c:v libx264 -preset ultrafast -g 60 -c:a aac -shortest";

/// Holds what a completed video promises: whole renditions, numbered events, bytes behind names.
async fn is_whole(studio: &Studio, id: Uuid) {
    let video = studio.video(id).await;
    let plan: Plan = serde_json::from_value(video.plan.clone().unwrap()).unwrap();
    let rows = studio.renditions(id).await;
    let rungs = plan.video.as_ref().map_or(0, |v| v.rungs.len());
    assert_eq!(rows.iter().filter(|r| r.format == Format::Hls && !r.is_audio()).count(), rungs);
    assert_eq!(rows.iter().filter(|r| r.format == Format::Mp4).count(), rungs.max(1));
    for row in &rows {
        let mut named = vec![(row.file_path.clone().unwrap(), row.file_cid.clone().unwrap())];
        if row.format == Format::Hls {
            named.push((row.init_path.clone().unwrap(), row.init_cid.clone().unwrap()));
            let segments = studio.segments(row).await;
            for (place, segment) in (0..).zip(&segments) {
                assert_eq!(segment.sequence, place, "{} has a hole", row.resolution);
                named.push((segment.path.clone(), segment.cid.clone()));
            }
            let ticks: u64 = segments.iter().map(|s| s.duration_ticks).sum();
            let off = ticks.abs_diff(plan.duration);
            assert!(off < TICKS / 10, "{} lasts {ticks}, not {}", row.resolution, plan.duration);
        }
        for (key, cid) in named {
            let bytes = studio.bucket.client.get_bytes(&key, 1 << 30).await.unwrap();
            assert_eq!(Checksum::of(&bytes).file.cid.to_string(), cid, "{key}");
        }
    }
    let original = studio.bucket.client.get_bytes(&video.file_path, 1 << 30).await.unwrap();
    let digest = Checksum::of(&original);
    assert_eq!(video.checksum, Some(digest.sha256_hex));
    assert_eq!(video.ipfs_cid, Some(digest.file.cid.to_string()));

    let events = studio.events(id).await;
    let numbers: Vec<i64> = events.iter().map(|e| e.seq).collect();
    assert_eq!(numbers, (1..).take(events.len()).collect::<Vec<i64>>());
    for name in ["uploaded", "probed", "planned", "playable", "completed", "published"] {
        assert_eq!(events.iter().filter(|e| e.name == name).count(), 1, "{name}: {events:?}");
    }
}

/// Nothing is left in the folders of workers that ended.
fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_becomes_a_ladder() {
    let studio = Studio::open().await;
    let film = studio.clip("film.mp4", SHORT);
    let id = studio.upload(&film).await;
    let worker = studio.worker();
    studio.until(id, "completed", |v| v.status == Status::Completed).await;
    worker.stop().await;
    is_whole(&studio, id).await;
    assert!(is_empty(&studio.work()), "work folders are left");
    assert!(studio.attempts(id).await.iter().all(|(_, attempts)| *attempts == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_whose_worker_was_killed_completes_once() {
    let studio = Studio::open().await;
    let film = studio.clip("film.mp4", LONG);
    let id = studio.upload(&film).await;
    let first = studio.worker();
    studio.until_segments(id, 2).await;
    first.kill().await;
    let left = studio.video(id).await;
    assert!(!left.status.is_ended(), "it was killed too late: {left:?}");

    studio.expire_leases().await;
    let second = studio.worker();
    studio.until(id, "completed", |v| v.status == Status::Completed).await;
    second.stop().await;
    is_whole(&studio, id).await;
    assert!(is_empty(&studio.work()), "work folders are left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stops_gives_its_tasks_back_at_once() {
    let studio = Studio::open().await;
    let film = studio.clip("film.mp4", LONG);
    let id = studio.upload(&film).await;
    let first = studio.worker();
    studio.until_segments(id, 1).await;
    first.stop().await;
    assert!(!studio.video(id).await.status.is_ended());

    let second = studio.worker();
    studio.until(id, "completed", |v| v.status == Status::Completed).await;
    second.stop().await;
    is_whole(&studio, id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_a_film() {
    let studio = Studio::open().await;
    let film = studio.clip("film.mp4", SHORT);
    let id = studio.upload(&film).await;
    let (one, two) = (studio.worker(), studio.worker());
    studio.until(id, "completed", |v| v.status == Status::Completed).await;
    one.stop().await;
    two.stop().await;
    is_whole(&studio, id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_alone_is_a_video_too() {
    let studio = Studio::open().await;
    let film = studio.clip("film.m4a", "-f lavfi -i sine=d=5 -c:a aac");
    let id = studio.upload(&film).await;
    let worker = studio.worker();
    studio.until(id, "completed", |v| v.status == Status::Completed).await;
    worker.stop().await;
    is_whole(&studio, id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_film_is_planned_anew_and_completes() {
    let studio = Studio::open().await;
    let film = studio.clip("film.mp4", SHORT);
    // Holes in the middle: the index still promises every frame.
    let mut bytes = std::fs::read(&film).unwrap();
    let third = bytes.len() / 3;
    bytes[third..third + 40_000].fill(0);
    std::fs::write(&film, &bytes).unwrap();
    let id = studio.upload(&film).await;
    let worker = studio.worker();
    let ended = studio.until(id, "at rest", |v| v.status.is_ended()).await;
    worker.stop().await;
    assert_eq!(ended.status, Status::Completed, "{:?}", ended.error);
}

/// Sizes of the samples of a track of an MP4 whose moov is read as it stands: where the table's entries lie.
fn sizes(bytes: &[u8], track: usize) -> std::ops::Range<usize> {
    let tables = bytes.windows(4).enumerate().filter(|(_, kind)| kind == b"stsz");
    let (at, _) = tables.clone().nth(track).unwrap();
    let count = u32::from_be_bytes(bytes[at + 12..at + 16].try_into().unwrap());
    at + 16..at + 16 + 4 * count as usize
}

/// What becomes of a film whose sound conforms by its tables, but for `damage`.
async fn with_bad_sound(damage: impl Fn(&mut Vec<u8>)) {
    let studio = Studio::open().await;
    let film = studio.clip("film.mp4", &SHORT.replace("sine=d=5", "sine=r=48000:d=5"));
    let mut bytes = std::fs::read(&film).unwrap();
    damage(&mut bytes);
    std::fs::write(&film, &bytes).unwrap();
    let id = studio.upload(&film).await;
    let worker = studio.worker();
    let ended = studio.until(id, "at rest", |v| v.status.is_ended()).await;
    worker.stop().await;
    assert_eq!(ended.status, Status::Completed, "{:?}", ended.error);
    let plan: Plan = serde_json::from_value(ended.plan.unwrap()).unwrap();
    let sound = plan.audio.as_ref().unwrap();
    assert!(!sound.copy && sound.why_not_copied.is_some() && plan.grid.exact, "{sound:?}");
    let rows = studio.renditions(id).await;
    assert!(rows.iter().all(|row| row.format != Format::Hls || row.kind == "transcode"));
    is_whole(&studio, id).await;
    // The picture is made once.
    let attempts = studio.attempts(id).await;
    let of = |kind: &str| attempts.iter().find(|(name, _)| name == kind).map(|(_, n)| *n);
    assert_eq!((of("encode"), of("audio")), (Some(1), Some(2)), "{attempts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_that_is_not_what_its_tables_say_is_encoded() {
    // ffmpeg leaves out what has no bytes: a hole.
    with_bad_sound(|bytes| {
        let sizes = sizes(bytes, 1);
        bytes[sizes.start + 4 * 150..sizes.start + 4 * 151].fill(0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_sound_is_encoded_because_players_would_stop_there() {
    with_bad_sound(|bytes| {
        let table = sizes(bytes, 1);
        let of = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let sizes: Vec<usize> = table.step_by(4).map(of).collect();
        let offsets = bytes.windows(4).enumerate().filter(|(_, kind)| kind == b"stco").nth(1);
        let last = offsets.unwrap().0 + 8;
        let last = of(last) * 4 + last;
        // The last chunk of sound begins with what would be a pair of channels that this sound has not.
        let (from, some) = (of(last), sizes.last().copied().unwrap());
        bytes[from..from + some].fill(0x2f);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_video_is_refused_in_words() {
    let studio = Studio::open().await;
    let text = studio.work().with_file_name("text.mp4");
    std::fs::write(&text, "no film at all\n".repeat(100)).unwrap();
    let id = studio.upload(&text).await;
    let worker = studio.worker();
    let failed = studio.until(id, "failed", |v| v.status == Status::Failed).await;
    worker.stop().await;
    let error = failed.error.unwrap();
    assert_eq!(error.code, "not_a_video");
    assert!(!error.suggestion.is_empty());
    assert_eq!(studio.attempts(id).await, [("probe".to_owned(), 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poster_that_was_given_up_is_made_later_and_published() {
    let studio = Studio::open().await;
    let film = studio.clip("film.mp4", SHORT);
    let id = studio.upload(&film).await;
    let worker = studio.worker();
    let before = studio.until(id, "completed", |v| v.status == Status::Completed).await;
    studio
        .db
        .run_tx("test.no_poster", async move |tx| {
            tx.exec("DELETE FROM files WHERE video_id = $1 AND role = 'poster'", &[&id]).await?;
            tx.exec(
                "UPDATE tasks SET state = 'dead' WHERE video_id = $1 AND kind = 'poster'",
                &[&id],
            )
            .await
        })
        .await
        .unwrap();
    studio.db.run_tx("test.retry", async move |tx| video::retry(tx, id).await).await.unwrap();
    let after = studio.until(id, "published anew", |v| v.root_cid != before.root_cid).await;
    worker.stop().await;
    assert_eq!(after.status, Status::Completed);
    let files =
        studio.db.run_tx("test.files", async move |tx| file::of_video(tx, id).await).await.unwrap();
    let poster = files.into_iter().find(|file| file.role == file::Role::Poster).unwrap();
    let bytes = studio.bucket.client.get_bytes(&poster.path, 1 << 30).await.unwrap();
    assert_eq!(Checksum::of(&bytes).file.cid.to_string(), poster.cid);
    let last: Vec<String> =
        studio.events(id).await.into_iter().rev().take(2).map(|event| event.name).collect();
    assert_eq!(last, ["published", "retried"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_deleted_video_is_left() {
    let studio = Studio::open().await;
    let film = studio.clip("film.mp4", SHORT);
    let id = studio.upload(&film).await;
    let worker = studio.worker();
    studio.until(id, "completed", |v| v.status == Status::Completed).await;
    studio.db.run_tx("test.delete", async move |tx| video::delete(tx, id).await).await.unwrap();
    let gone = async {
        loop {
            let keys = [format!("media/{id}/"), format!("orig/{id}/")];
            let mut left = 0;
            for prefix in &keys {
                left += studio.bucket.client.list(prefix, None).await.unwrap().len();
            }
            if left == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), gone).await.expect("objects are left");
    worker.stop().await;
    let events = studio.events(id).await;
    assert_eq!(events.last().unwrap().name, "deleted");
}
