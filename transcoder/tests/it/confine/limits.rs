//! Each limit, hit on purpose.

use std::time::{Duration, Instant};

use reelpin_transcoder::confine::{ConfineError, Limit, Limits, MAX_PIPES, Program};

use super::{Bench, PATIENCE};

#[tokio::test]
async fn ready_made_limits_fit_real_work() {
    let mut bench = Bench::real();
    bench.limits = Limits::encode(2, Duration::from_secs(60), 1 << 20);
    let source = "-nostdin -v error -f lavfi -i testsrc2=size=1920x1080:duration=0.5";
    bench.run(&format!("{source} -c:v libx264 -preset veryfast out.mp4")).await.unwrap();
    bench.limits = Limits::probe();
    bench.program = Program::Ffprobe;
    bench.capture_stdout = true;
    let report = bench.run("-v error -show_entries stream=width -of csv out.mp4").await.unwrap();
    assert_eq!((report.stdout.as_slice(), report.stdout_cut), (&b"stream,1920\n"[..], false));
}

/// Where Linux groups processes by session, a child of its own session is as nice as a group.
#[tokio::test]
async fn niceness_counts_between_sessions_too() {
    for nice in [0, 5, 10] {
        let mut bench = Bench::shell();
        bench.limits.nice = nice;
        let child = bench.script("sleep 1000000").await;
        let Ok(group) = std::fs::read_to_string(format!("/proc/{}/autogroup", child.id())) else {
            eprintln!("not run: this kernel does not group by session");
            return;
        };
        assert!(group.trim().ends_with(&format!(" nice {nice}")), "{group}");
        child.kill();
        child.wait().await.unwrap_err();
    }
}

#[tokio::test]
async fn wall_clock() {
    let mut bench = Bench::shell();
    bench.limits.wall = Duration::from_millis(200);
    let end = bench.script("trap '' TERM; sleep 1000000").await.wait().await;
    let Err(ConfineError::TimedOut { limit, report }) = end else { panic!("{end:?}") };
    assert_eq!(limit, bench.limits.wall);
    assert!(report.wall >= limit && report.wall < PATIENCE, "{report:?}");
}

/// Nobody waits, and it ends in time all the same.
#[tokio::test]
async fn wall_clock_of_a_neglected_child() {
    let mut bench = Bench::shell();
    bench.limits.wall = Duration::from_millis(200);
    let child = bench.script("sleep 1000000").await;
    let pid = child.id();
    super::until("it is reaped", || super::is_reaped(pid)).await;
    assert!(matches!(child.wait().await, Err(ConfineError::TimedOut { .. })));
}

/// ffmpeg takes SIGXCPU for a wish to end early and would exit as if it were done; SIGKILL it is.
#[tokio::test]
async fn cpu_time() {
    let mut bench = Bench::real();
    bench.limits.cpu_seconds = 2;
    let end = bench.run("-nostdin -v error -f lavfi -i testsrc2=size=640x360 -f null -").await;
    let Err(ConfineError::OverLimit { limit: Limit::Cpu, report }) = end else { panic!("{end:?}") };
    assert!(report.cpu >= Duration::from_millis(1500), "{report:?}");
}

#[tokio::test]
async fn file_size() {
    let mut bench = Bench::real();
    bench.limits.file_size_bytes = 100_000;
    let end = bench
        .run("-nostdin -v error -f lavfi -i testsrc2=size=640x360:duration=9 -f rawvideo out.yuv")
        .await;
    let over = matches!(end, Err(ConfineError::OverLimit { limit: Limit::FileSize, .. }));
    assert!(over, "{end:?}");
    assert_eq!(bench.work.path().join("out.yuv").metadata().unwrap().len(), 100_000);
}

/// Only the program learns that memory was refused; ffmpeg says so, and exits with 0.
#[tokio::test]
async fn address_space() {
    let mut bench = Bench::real();
    let args = "-nostdin -v error -f lavfi -i testsrc2=size=7680x4320:duration=0.1 -f null -";
    bench.run(args).await.unwrap();
    bench.limits.address_space_bytes = 400 << 20;
    let end = bench.run(args).await;
    let report = end.as_ref().unwrap_or_else(|error| error.report().unwrap());
    assert!(report.stderr.contains("Cannot allocate memory"), "{end:?}");
}

#[tokio::test]
async fn open_files() {
    let mut bench = Bench::shell();
    bench.limits.open_files = 6;
    let end = bench.script("exec 3</dev/null 4<&3 5<&3 6<&3").await.wait().await;
    assert!(matches!(end, Err(ConfineError::NonZero { .. })), "{end:?}");
}

#[tokio::test]
async fn exit_code_and_last_words() {
    let bench = Bench::shell();
    let end = bench.script("printf 'one\\rtwo\\033[31m' >&2; exit 3").await.wait().await;
    let Err(ConfineError::NonZero { code: 3, report }) = end else { panic!("{end:?}") };
    assert_eq!(report.stderr, "one\ntwo\u{fffd}[31m");
}

#[tokio::test]
async fn a_crash_tells_its_signal() {
    let end = Bench::shell().script("kill -SEGV $$").await.wait().await;
    assert!(matches!(end, Err(ConfineError::Killed { signal: 11, .. })), "{end:?}");
}

/// Much more than a pipe holds, with nobody waiting until it is over.
#[tokio::test]
async fn a_flood_blocks_nobody() {
    let mut bench = Bench::shell();
    bench.capture_stdout = true;
    bench.limits.stdout_bytes = 1000;
    bench.limits.stderr_bytes = 10;
    let flood = "yes 0123456 | head -c 8000000 >&2; yes abc | head -c 8000000; echo end >&2";
    let child = bench.script(flood).await;
    let quick = Instant::now();
    bench.script("true").await.wait().await.unwrap();
    assert!(quick.elapsed() < PATIENCE);
    let pid = child.id();
    super::until("it ends", || super::is_reaped(pid)).await;
    let report = child.wait().await.unwrap();
    assert_eq!(report.stderr, "23456\nend\n");
    assert_eq!((report.stdout.len(), report.stdout_cut), (1000, true));
}

/// A pipe that nobody reads holds its writer back, and closing it ends the writer.
#[tokio::test]
async fn pipes_push_back() {
    let mut bench = Bench::shell();
    bench.pipes = 1;
    let mut child = bench.script("exec yes >&3").await;
    let pipe = child.take_pipe(0).unwrap();
    let asleep = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        stat.contains("(yes) S")
    };
    super::until("it waits for its reader", asleep).await;
    drop(pipe);
    let end = child.wait().await;
    let broken = matches!(end, Err(ConfineError::Killed { signal: libc::SIGPIPE, .. }));
    assert!(broken, "{end:?}");
}

#[tokio::test]
async fn so_many_pipes_and_no_more() {
    let mut bench = Bench::shell();
    bench.pipes = MAX_PIPES;
    let mut child = bench.script("echo there >&9").await;
    assert_eq!(super::all(&mut child, 6).await, b"there\n");
    assert!(child.take_pipe(6).is_none() && child.take_pipe(MAX_PIPES).is_none());
    child.wait().await.unwrap();
    bench.pipes = MAX_PIPES + 1;
    let error = bench.start(&[]).await.unwrap_err();
    assert!(matches!(error, ConfineError::TooManyPipes { asked: 17, max: 16 }), "{error:?}");
}

/// The kernel does not count root's.
#[tokio::test]
async fn processes() {
    if rustix::process::geteuid().is_root() {
        eprintln!("not run: root has no bound on its processes");
        return;
    }
    let mut bench = Bench::shell();
    bench.limits.processes = Some(1);
    let end = bench.script("(exit 0)").await.wait().await;
    assert!(matches!(end, Err(ConfineError::NonZero { .. })), "{end:?}");
}
