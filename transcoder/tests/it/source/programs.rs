//! ffmpeg and ffprobe reading what is lent to them.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bytes::Bytes;
use futures_util::future::{join, join_all};
use reelpin_plan::{Argv, Options, Plan, Probe, Run, TICKS, argv, codecs};
use reelpin_schema::bucket::Bucket;
use reelpin_schema::video::Video;
use reelpin_transcoder::confine::Toolbox;
use reelpin_transcoder::encoder::source::Lent;
use reelpin_transcoder::encoder::{Encoder as _, Ffmpeg, Made};
use reelpin_transcoder::{Cause, TaskError};
use tokio::sync::mpsc;

use super::away::{Line, way};
use super::stand::{MIB, Stand};

/// Runs a program beside the server.
pub(super) async fn run(argv: Argv) -> Output {
    let run = move || Command::new(argv.program.name()).args(&argv.args).output();
    tokio::task::spawn_blocking(run).await.unwrap().unwrap()
}

/// The same arguments for a local file.
pub(super) fn local(mut argv: Argv) -> Argv {
    let at = argv.args.iter().position(|arg| arg == codecs::PROTOCOLS).unwrap();
    argv.args[at] = "file".to_owned();
    argv.args.drain(at + 1..at + 5);
    argv
}

pub(super) fn made(folder: &Path, name: &str, words: &str) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(words.split_whitespace())
        .arg(&path)
        .status();
    assert!(made.unwrap().success());
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn real_clips_read_as_they_do_from_a_file() {
    let Some(folder) = std::env::var_os("REELPIN_TEST_MEDIA") else {
        eprintln!("not run: REELPIN_TEST_MEDIA names no folder of clips");
        return;
    };
    let stand = Stand::open().await;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ext| ext == "md") {
            continue;
        }
        let name = path.display().to_string();
        let source = stand.source(&stand.original(std::fs::read(&path).unwrap()).await);
        let lent = source.lend().await.unwrap();
        let (url, path) = (lent.url(), path.to_str().unwrap());
        for (served, file) in [
            (argv::probe(&url), argv::probe(path)),
            (argv::packets(&url, 0), argv::packets(path, 0)),
        ] {
            let (served, file) = (run(served).await, run(local(file)).await);
            assert_eq!(served.status.code(), file.status.code(), "{name}");
            assert!(served.stdout == file.stdout, "{name}");
        }
        assert!(lent.failure().is_none(), "{name}");
        assert!(source.fetched() <= source.size());
    }
}

/// A film whose tables lie behind a gibibyte of nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_fetches_little_of_a_large_file() {
    const NOTHING: u64 = 1 << 30;
    let stand = Stand::open().await;
    let clip = "-f lavfi -i testsrc2=s=320x180:r=25:d=2 -c:v libx264 -preset ultrafast";
    let film = std::fs::read(made(stand.folder.path(), "film.mp4", clip)).unwrap();
    let moov = film.windows(4).position(|w| w == b"moov").unwrap() - 4;
    // The file below the bucket is made large; then its ETag is another.
    let mut video = stand.original(film.clone()).await;
    let mut file =
        File::create(stand.bucket.folder().join("reelpin").join(&video.file_path)).unwrap();
    file.write_all(&film[..moov]).unwrap();
    file.write_all(&u32::try_from(NOTHING).unwrap().to_be_bytes()).unwrap();
    file.write_all(b"free").unwrap();
    file.set_len(moov as u64 + NOTHING).unwrap();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).unwrap();
    file.write_all(&film[moov..]).unwrap();
    video.file_size = film.len() as u64 + NOTHING;
    let head = stand.bucket.client.head(&video.file_path).await.unwrap().unwrap();
    video.etag = Some(head.etag);

    let source = stand.source(&video);
    let lent = source.lend().await.unwrap();
    let told = run(argv::probe(&lent.url())).await;
    let probe = Probe::parse(&String::from_utf8(told.stdout).unwrap()).unwrap();
    assert_eq!(probe.video.unwrap().width, 320);
    assert!(lent.failure().is_none());
    assert!(source.fetched() <= 20 * MIB, "{} bytes were fetched", source.fetched());
}

/// A stream of 12 MiB and more without an index: to a program its end is where the bytes end.
fn stream(stand: &Stand) -> Bytes {
    let clip = "-f lavfi -i nullsrc=s=640x360:r=25:d=8,geq=random(1)*255:128:128 -c:v mpeg2video -q:v 2 -f mpegts";
    let film = std::fs::read(made(stand.folder.path(), "film.ts", clip)).unwrap();
    assert!(film.len() as u64 > 9 * MIB, "{}", film.len());
    film.into()
}

/// Reads all of it, as an encode does.
fn copy(lent: &Lent) -> Argv {
    let mut argv = argv::probe(&lent.url());
    argv.program = reelpin_plan::argv::Program::Ffmpeg;
    let words = format!(
        "-nostdin -v error -protocol_whitelist {} -seekable 1 -rw_timeout 60000000 -i {} \
         -map 0 -c copy -f null -",
        codecs::PROTOCOLS,
        lent.url()
    );
    argv.args = words.split_whitespace().map(str::to_owned).collect();
    argv
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_that_is_replaced_while_it_is_read_is_an_error() {
    let stand = Stand::open().await;
    let film = stream(&stand);
    let video = stand.original(film.clone()).await;
    let source = stand.source(&video);
    let lent = source.lend().await.unwrap();
    assert!(run(copy(&lent)).await.status.success());
    assert!(lent.failure().is_none(), "{:?}", lent.failure());
    drop((lent, source));

    // Only its beginning is here when it is replaced.
    stand.sources.forget(video.id);
    let source = stand.source(&video);
    source.read(0, 1).await.unwrap();
    let mut other = film.to_vec();
    other[9 << 20] ^= 1;
    stand.replace(&video, other.into()).await;
    let lent = source.lend().await.unwrap();
    let ended = run(copy(&lent)).await;
    let Some(Cause::Source(failure)) = lent.failure() else {
        panic!("ffmpeg ended with {} and nobody knows why", ended.status)
    };
    assert!(failure.to_string().contains("is no longer the same object"), "{failure}");
    assert!(!failure.is_away());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_goes_away_while_a_film_is_read_is_away() {
    let stand = Stand::open().await;
    let video = stand.original(stream(&stand)).await;
    let way = way(&stand).await;
    let source = stand.source_at(&way.bucket, &video);
    source.read(0, 1).await.unwrap();
    way.set(Line::Broken);
    let lent = source.lend().await.unwrap();
    let ended = run(copy(&lent)).await;
    let Some(Cause::Source(failure)) = lent.failure() else {
        panic!("ffmpeg ended with {} and nobody knows why", ended.status)
    };
    assert!(failure.is_away(), "{failure}");
    drop(lent);
    way.set(Line::Up);
    let lent = source.lend().await.unwrap();
    assert!(run(copy(&lent)).await.status.success());
    assert!(lent.failure().is_none());
}

/// Encodes all of a film by a worker that has nothing of it yet. Gives how it ended, and the ticks
/// of the segments that came of the first rung.
async fn encoded(
    stand: &Stand,
    bucket: &Bucket,
    video: &Video,
    plan: &Plan,
) -> (Result<(), TaskError>, u64) {
    let toolbox = Toolbox::find(&std::env::var_os("PATH").unwrap()).unwrap();
    let encoder = Ffmpeg::start(toolbox, &stand.folder.path().join("encoder")).unwrap();
    let picture = plan.video.as_ref().unwrap();
    let (out, made): (Vec<_>, Vec<_>) = picture.rungs.iter().map(|_| mpsc::channel(4)).unzip();
    let taken = made.into_iter().map(async |mut made| {
        let mut ticks = 0;
        while let Some(made) = made.recv().await {
            if let Made::Segment(segment) = made {
                ticks += segment.duration_ticks;
            }
        }
        ticks
    });
    let run = Run::rest(picture, picture.stretches().next().unwrap(), |_| 0).unwrap();
    let encode = encoder.encode(bucket, video, plan, &run, out);
    let (ended, ticks) = join(encode, join_all(taken)).await;
    encoder.close().await;
    (ended, ticks[0])
}

/// Without an index nobody knows how long a film must be: only the reading tells that it is cut.
#[tokio::test(flavor = "multi_thread")]
async fn no_short_film_comes_of_a_bucket_that_goes_away() {
    let stand = Stand::open().await;
    let video = stand.original(stream(&stand)).await;
    let file = stand.folder.path().join("film.ts");
    let told = run(local(argv::probe(file.to_str().unwrap()))).await;
    let probe = Probe::parse(&String::from_utf8(told.stdout).unwrap()).unwrap();
    let plan = Plan::new(&probe, None, &Options::default()).unwrap();
    let way = way(&stand).await;

    way.set(Line::Metered(6 * MIB));
    let (ended, ticks) = encoded(&stand, &way.bucket, &video, &plan).await;
    match ended {
        Err(TaskError::Ours(Cause::Source(e))) => assert!(e.is_away(), "{e}"),
        other => panic!("{other:?}"),
    }
    assert!(ticks < 4 * TICKS, "{ticks} ticks came of a third of the film");
    assert_eq!(ticks % (2 * TICKS), 0, "an end came that is none: {ticks}");

    way.set(Line::Up);
    let (ended, ticks) = encoded(&stand, &way.bucket, &video, &plan).await;
    ended.unwrap();
    assert_eq!(ticks, 8 * TICKS);
}
