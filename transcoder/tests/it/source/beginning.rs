//! A long film of which programs are shown the beginning.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join;
use reelpin_plan::{Index, Options, Plan, Probe, Run, TICKS, argv};
use reelpin_schema::video::Video;
use reelpin_transcoder::confine::Toolbox;
use reelpin_transcoder::encoder::source::{Lent, Source};
use reelpin_transcoder::encoder::{Encoder as _, Ffmpeg, Made, Probed};
use tokio::sync::mpsc;

use super::answers::{ask, request};
use super::programs::{local, made, run};
use super::stand::Stand;

/// 75 min of 5 s, again and again, whose picture cannot be copied, with sound that can: its tables are more than 1 MiB.
fn film(stand: &Stand) -> PathBuf {
    let folder = stand.folder.path();
    let words = "-f lavfi -i testsrc2=s=64x36:r=25:d=5 -c:v libx264 -preset ultrafast -pix_fmt yuv422p -bf 3 -g 60";
    let short = made(folder, "short.mp4", words);
    // Copied again and again, sound would have holes where pieces meet.
    let words = format!(
        "-stream_loop 899 -i {} -f lavfi -i sine=r=48000:d=10,apad=whole_dur=4505 -map 0:v -map 1:a -c:v copy -c:a aac -movflags +faststart",
        short.to_str().unwrap()
    );
    made(folder, "film.mp4", &words)
}

/// Where the movie's box lies.
fn movie(bytes: &[u8]) -> std::ops::Range<usize> {
    let at = bytes.windows(4).position(|kind| kind == b"moov").unwrap() - 4;
    let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    at..at + size as usize
}

/// Lends what is shown before `until`, and reads a byte: then it is known what is lent.
async fn lent(source: &Arc<Source>, until: i64) -> Lent {
    let lent = source.lend_until(until).await.unwrap();
    let answer = ask(lent.port(), &request("GET", &lent.url(), "Range: bytes=0-0\r\n")).await;
    assert_eq!((answer.status, answer.body.len()), (206, 1));
    lent
}

#[tokio::test(flavor = "multi_thread")]
async fn other_tables_stand_where_the_films_are_and_all_else_is_its_own() {
    let stand = Stand::open().await;
    let bytes: Bytes = std::fs::read(film(&stand)).unwrap().into();
    let source = stand.source(&stand.original(bytes.clone()).await);
    let beginning = lent(&source, 0).await;
    assert!(!beginning.is_whole());
    let whole = ask(beginning.port(), &request("GET", &beginning.url(), "")).await;
    assert_eq!((whole.status, whole.body.len()), (200, bytes.len()));
    let movie = movie(&bytes);
    let length = u32::from_be_bytes(whole.body[movie.start..movie.start + 4].try_into().unwrap());
    let end = movie.start + length as usize + 8;
    assert_eq!(whole.body[end - 4..end], *b"free");
    assert!(length < 150_000, "{length} bytes are left of {}", movie.len());
    assert!(whole.body[..movie.start] == bytes[..movie.start]);
    assert!(whole.body[end..] == bytes[end..]);
    // Each way over the borders.
    for (from, to) in [
        (0, movie.start + 1),
        (movie.start, end),
        (movie.start + 7, end + 9),
        (end - 1, end + 1),
        (end, end + 300_000),
        (movie.start - 1, movie.end + 1),
    ] {
        let range = format!("Range: bytes={from}-{}\r\n", to - 1);
        let answer = ask(beginning.port(), &request("GET", &beginning.url(), &range)).await;
        assert!(answer.body == whole.body[from..to], "{from}..{to}");
    }
    assert!(beginning.failure().is_none());

    // What is wanted later, and after something was odd about it, is lent whole.
    let minute = 60 * i64::try_from(TICKS).unwrap();
    assert!(!lent(&source, minute).await.is_whole());
    assert!(lent(&source, minute + 1).await.is_whole());
    beginning.doubt();
    let again = lent(&source, 0).await;
    assert!(again.is_whole());
    let answer = ask(again.port(), &request("GET", &again.url(), "")).await;
    assert!(answer.body == bytes);
}

/// Makes the first segment of the lowest rung, or of the sound: its init, its bytes, its ticks.
async fn first(
    encoder: &Ffmpeg,
    stand: &Stand,
    video: &Video,
    plan: &Plan,
    sound: bool,
) -> (Bytes, Vec<u8>, u64) {
    let (out, mut made) = mpsc::channel(4);
    let taken = async {
        let (mut init, mut first) = (Bytes::new(), None);
        while let Some(made) = made.recv().await {
            match made {
                Made::Init { bytes, .. } => init = bytes,
                Made::Segment(segment) => {
                    first.get_or_insert((segment.bytes, segment.duration_ticks));
                }
            }
        }
        let (bytes, ticks) = first.unwrap();
        (init, bytes, ticks)
    };
    let bucket = &stand.bucket.client;
    let picture = plan.video.as_ref().unwrap();
    let run = Run::starter(&plan.grid, picture).unwrap();
    let (ended, taken) = if sound {
        join(encoder.audio(bucket, video, plan, plan.grid.cut(1), out), taken).await
    } else {
        join(encoder.encode(bucket, video, plan, &run, vec![out]), taken).await
    };
    ended.unwrap();
    taken
}

/// ffprobe's first look ends before the picture begins.
#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_begins_long_after_the_sound_is_found() {
    let stand = Stand::open().await;
    let words = "-f lavfi -i sine=f=440:r=48000:d=16 -itsoffset 12 -f lavfi -i testsrc2=s=320x180:r=25:d=4 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -fps_mode passthrough -c:a aac";
    let path = made(stand.folder.path(), "late.mp4", words);
    let told = run(local(argv::probe(path.to_str().unwrap()))).await;
    let first = Probe::parse(&String::from_utf8(told.stdout).unwrap());
    assert_eq!(first.unwrap_err().code(), "no_frames");
    let video = stand.original(std::fs::read(&path).unwrap()).await;
    let toolbox = Toolbox::find(&std::env::var_os("PATH").unwrap()).unwrap();
    let encoder = Ffmpeg::start(toolbox, &stand.folder.path().join("encoder")).unwrap();
    let probed = encoder.probe(&stand.bucket.client, &video).await.unwrap();
    let picture = probed.probe.video.as_ref().unwrap();
    let began = picture.time_base.scale(picture.start_pts, TICKS);
    assert_eq!((picture.width, began), (320, 12 * i64::try_from(TICKS).unwrap()));
    assert_eq!(probed.index.unwrap().frames(), 100);
    encoder.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_beginning_tells_what_the_whole_does() {
    let stand = Stand::open().await;
    let path = film(&stand);
    let video = stand.original(std::fs::read(&path).unwrap()).await;
    let path = path.to_str().unwrap();
    let toolbox = Toolbox::find(&std::env::var_os("PATH").unwrap()).unwrap();
    let encoder = Ffmpeg::start(toolbox, &stand.folder.path().join("encoder")).unwrap();
    let Probed { mut probe, index, .. } =
        encoder.probe(&stand.bucket.client, &video).await.unwrap();
    let told = run(local(argv::probe(path))).await;
    let want = Probe::parse(&String::from_utf8(told.stdout).unwrap()).unwrap();
    // ffprobe counts all samples and the time of those that are shown.
    let rate = |probe: &Probe| probe.video.as_ref().unwrap().bit_rate.unwrap() as f64;
    assert!((rate(&probe) / rate(&want) - 1.0).abs() < 0.001, "{} {}", rate(&probe), rate(&want));
    probe.video.as_mut().unwrap().bit_rate = want.video.as_ref().unwrap().bit_rate;
    let frames = probe.audio.as_mut().unwrap().frames.take();
    assert_eq!(probe, want);
    let encoded = probe.clone();
    probe.audio.as_mut().unwrap().frames = frames;
    let told = run(local(argv::packets(path, 0))).await;
    let told = Index::parse(&String::from_utf8(told.stdout).unwrap()).unwrap();
    let index = index.unwrap();
    assert_eq!((index.frames(), index.pts()), (112_500, told.pts()));

    let options = Options::default();
    let copied = Plan::new(&probe, Some(&index), &options).unwrap();
    let encoded = Plan::new(&encoded, Some(&index), &options).unwrap();
    let copies = |plan: &Plan| plan.audio.as_ref().unwrap().copy;
    assert_eq!((copies(&copied), copies(&encoded)), (true, false), "{:?}", copied.audio);
    for (plan, sound) in [(&encoded, false), (&encoded, true), (&copied, true)] {
        // By its clock the same film begins so late that it is lent whole.
        let hour = 3600 * i64::try_from(TICKS).unwrap();
        let late = Plan { start: plan.start + hour, ..plan.clone() };
        let beginning = first(&encoder, &stand, &video, plan, sound).await;
        let whole = first(&encoder, &stand, &video, &late, sound).await;
        assert!(beginning == whole, "{sound}: {} {} ticks", beginning.2, whole.2);
    }
    encoder.close().await;
}
