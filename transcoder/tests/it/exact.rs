//! What several workers, killed ones and copies make is, frame by frame, what one pass over the film shows.

use std::path::{Path, PathBuf};
use std::process::Command;

use reelpin_plan::Plan;
use reelpin_plan::fmp4::{Part, Reader};
use reelpin_schema::transcode::Format;
use reelpin_schema::video::Status;
use uuid::Uuid;

use crate::studio::Studio;

/// A minute in which no frame is like another, and no frame is easy.
const MINUTE: &str = "-f lavfi -i testsrc2=s=1280x720:r=25:d=60,noise=alls=20:allf=t -f lavfi -i sine=d=60 \
     -c:v libx264 -preset ultrafast -crf 30 -g 300 -c:a aac -shortest";

/// Differences that encoding alone makes, decibels: a wrong frame of this film has less than 20.
const ALIKE: f64 = 25.0;

/// Init and segments of a rung in a file, and the times of its frames, rising.
async fn rung(studio: &Studio, id: Uuid, name: &str) -> (PathBuf, Vec<i64>) {
    let rows = studio.renditions(id).await;
    let row = rows
        .into_iter()
        .find(|row| row.format == Format::Hls && row.resolution == name)
        .unwrap_or_else(|| panic!("no {name}"));
    let mut keys = vec![row.init_path.clone().unwrap()];
    keys.extend(studio.segments(&row).await.into_iter().map(|segment| segment.path));
    let (mut bytes, mut reader, mut times) = (Vec::new(), Reader::new(), Vec::new());
    for key in keys {
        let piece = studio.bucket.client.get_bytes(&key, 1 << 30).await.unwrap();
        for part in reader.push(&piece).unwrap() {
            if let Part::Fragment(fragment) = part {
                times.extend(fragment.table.iter().map(|sample| sample.pts));
            }
        }
        bytes.extend_from_slice(&piece);
    }
    times.sort_unstable();
    let file = studio.work().with_file_name(format!("{name}.mp4"));
    std::fs::write(&file, bytes).unwrap();
    (file, times)
}

/// The worst frame's likeness to the same frame of the original, decibels, and how many frames there are.
fn worst(made: &Path, original: &Path, width: u32, height: u32) -> (f64, usize) {
    let log = made.with_extension("psnr");
    let graph = format!(
        "[1:v]scale={width}:{height}:flags=bicubic,settb=1/25,setpts=N[o];[0:v]settb=1/25,setpts=N[m];[m][o]psnr=f={}",
        log.display()
    );
    let run = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(made)
        .arg("-i")
        .arg(original)
        .args(["-filter_complex", &graph, "-f", "null", "-"])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let told = std::fs::read_to_string(&log).unwrap();
    let each: Vec<f64> = told
        .lines()
        .filter_map(|line| line.split_whitespace().find_map(|w| w.strip_prefix("psnr_y:")))
        .map(|db| db.parse().unwrap_or(99.0))
        .collect();
    (each.iter().copied().fold(f64::INFINITY, f64::min), each.len())
}

/// Every frame of every rung is the original's, at its time.
async fn is_the_film(studio: &Studio, id: Uuid, original: &Path) {
    let video = studio.video(id).await;
    let plan: Plan = serde_json::from_value(video.plan.unwrap()).unwrap();
    let picture = plan.video.as_ref().unwrap();
    for planned in &picture.rungs {
        let (file, times) = rung(studio, id, &planned.name).await;
        let want: Vec<i64> = (0..1500).map(|frame| frame * 3600).collect();
        assert!(times == want, "{}: times differ from one pass's", planned.name);
        let (worst, frames) = worst(&file, original, planned.width, planned.height);
        assert_eq!(frames, 1500);
        assert!(worst > ALIKE, "{}: a frame is not the original's ({worst} dB)", planned.name);
    }
}

/// First segments of the tasks that encoded the picture.
async fn stretches(studio: &Studio, id: Uuid) -> Vec<i64> {
    studio
        .db
        .run_tx("test.stretches", async move |tx| {
            let rows = tx
                .all(
                    "SELECT place FROM tasks WHERE video_id = $1 AND kind = 'encode' ORDER BY place",
                    &[&id],
                )
                .await?;
            Ok::<_, reelpin_schema::db::DbError>(rows.iter().map(|row| row.get("place")).collect())
        })
        .await
        .unwrap()
}

/// A film is begun by a worker, taken over by a second one, and left to it when the first is killed.
async fn taken_over(studio: &Studio, film: &Path) -> Uuid {
    let id = studio.upload(film).await;
    let first = studio.worker();
    studio.until_segments(id, 2).await;
    let second = studio.worker();
    studio.until_encodes(id, 2).await;
    first.kill().await;
    studio.expire_leases().await;
    studio.until(id, "completed", |v| v.status == Status::Completed).await;
    second.stop().await;
    let stretches = stretches(studio, id).await;
    assert!(stretches.len() > 1, "nothing was taken over: {stretches:?}");
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_is_taken_over_and_its_first_worker_killed() {
    let studio = Studio::open().await;
    // Its key frames are too far apart for a copy.
    let film = studio.clip("film.mp4", MINUTE);
    let id = taken_over(&studio, &film).await;
    is_the_film(&studio, id, &film).await;
}

/// Of a Matroska file of this size cues alone are read, and where its last stretch ends nobody knows before.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_matroska_film_is_taken_over_and_its_first_worker_killed() {
    let studio = Studio::open().await;
    let words = MINUTE.replace("-c:a aac", "-c:a pcm_s32le -ar 96000 -ac 4");
    let film = studio.clip("film.mkv", &words);
    assert!(film.metadata().unwrap().len() > reelpin_plan::container::MAX_MATROSKA);
    let id = taken_over(&studio, &film).await;
    let plan: Plan = serde_json::from_value(studio.video(id).await.plan.unwrap()).unwrap();
    assert!(plan.grid.keyed, "it was planned anew");
    is_the_film(&studio, id, &film).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conforming_film_is_copied_and_the_rungs_below_follow_its_key_frames() {
    let studio = Studio::open().await;
    let words = MINUTE
        .replace("-crf 30 -g 300", "-b:v 2000k -maxrate 2200k -bufsize 2000k -g 75")
        .replace("sine=d=60", "sine=r=48000:d=60");
    let film = studio.clip("film.mp4", &words);
    let id = studio.upload(&film).await;
    let worker = studio.worker();
    studio.until(id, "completed", |v| v.status == Status::Completed).await;
    worker.stop().await;
    let rows = studio.renditions(id).await;
    let kinds: Vec<String> = rows
        .iter()
        .filter(|row| row.format == Format::Hls)
        .map(|row| format!("{} {}", row.resolution, row.kind))
        .collect();
    assert_eq!(kinds, ["480p transcode", "720p copy", "audio copy"]);
    let (_, copied) = rung(&studio, id, "720p").await;
    let (_, encoded) = rung(&studio, id, "480p").await;
    assert!(copied == encoded, "the copied rung's times are the encoded one's");
    is_the_film(&studio, id, &film).await;
    let segments = async |name: &str| {
        let rows = studio.renditions(id).await;
        let row = rows.into_iter().find(|r| r.format == Format::Hls && r.resolution == name);
        let segments = studio.segments(&row.unwrap()).await;
        segments.into_iter().map(|segment| segment.duration_ticks).collect::<Vec<_>>()
    };
    assert_eq!(segments("720p").await, segments("480p").await);
}
