//! Nothing outlives its holder, whichever way the holder goes.

use std::{path::Path, process::Command, time::Duration};

use reelpin_transcoder::confine::ConfineError;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::{Bench, is_gone, is_reaped, until};

/// Two generations that would stay for ever; tells the younger's process id.
const FAMILY: &str = "trap '' TERM HUP INT; sleep 1000000 & echo $! >&3; wait";

async fn first_line(child: &mut super::Child) -> String {
    let mut line = String::new();
    BufReader::new(child.take_pipe(0).unwrap()).read_line(&mut line).await.unwrap();
    line.trim().to_owned()
}

#[tokio::test]
async fn dropping_kills_the_whole_family() {
    let mut bench = Bench::shell();
    bench.pipes = 1;
    let mut child = bench.script(FAMILY).await;
    let grandchild: i32 = first_line(&mut child).await.parse().unwrap();
    let pid = child.id();
    assert!(!is_gone(pid) && !is_gone(grandchild));
    drop(child);
    until("the child is reaped", || is_reaped(pid)).await;
    until("the grandchild is gone", || is_gone(grandchild)).await;
}

#[tokio::test]
async fn a_cancelled_wait_kills() {
    let mut bench = Bench::shell();
    bench.pipes = 1;
    let mut child = bench.script(FAMILY).await;
    let grandchild: i32 = first_line(&mut child).await.parse().unwrap();
    let pid = child.id();
    tokio::select! {
        biased;
        end = child.wait() => panic!("{end:?}"),
        () = std::future::ready(()) => {}
    }
    until("the child is reaped", || is_reaped(pid)).await;
    until("the grandchild is gone", || is_gone(grandchild)).await;
}

/// The leader's end takes the rest of its group, even where nobody killed anything.
#[tokio::test]
async fn a_leader_that_ends_leaves_nobody() {
    let mut bench = Bench::shell();
    bench.pipes = 1;
    let mut child = bench.script("sleep 1000000 & echo $! >&3").await;
    let grandchild: i32 = first_line(&mut child).await.parse().unwrap();
    child.wait().await.unwrap();
    until("the grandchild is gone", || is_gone(grandchild)).await;
}

#[tokio::test]
async fn nobody_leaves_the_group_or_calls_off_its_death() {
    let bench = Bench::shell();
    for script in ["setsid sleep 1000000 & wait $!", "exec setpriv --pdeathsig clear true"] {
        let end = bench.script(script).await.wait().await;
        assert!(matches!(end, Err(ConfineError::NonZero { .. })), "{script}: {end:?}");
    }
}

/// Cancelled at some fifty points between asking and having.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_spawn_leaves_nothing() {
    let bench = Bench::shell();
    let marker = format!("cancelled-{}", std::process::id());
    let script = format!("exec sleep 1000000 # {marker}");
    let args = ["-c".to_owned(), format!(": {marker}; {script}; :")];
    for step in 0..50 {
        let spawn = bench.start(&args);
        let _ = tokio::time::timeout(Duration::from_micros(step * 100), spawn).await;
    }
    drop(bench.script("true").await.wait().await); // Behind all of the others.
    until("no such process is left", || !any_process_with(&marker)).await;
}

fn any_process_with(marker: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().filter_map(Result::ok).any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(marker))
    })
}

#[tokio::test]
async fn a_killer_kills_while_another_waits() {
    let bench = Bench::shell();
    let child = bench.script("sleep 1000000").await;
    let killer = child.killer();
    let (end, ()) = tokio::join!(child.wait(), async { killer.kill() });
    assert!(matches!(end, Err(ConfineError::Cancelled { .. })), "{end:?}");
    killer.kill(); // Of no effect on whoever has the number now.
}

#[tokio::test]
async fn the_last_child_survives_its_launcher() {
    let mut bench = Bench::shell();
    bench.pipes = 1;
    let mut child = bench.script("echo there >&3; read line; exit 7").await;
    assert_eq!(first_line(&mut child).await, "there");
    drop(bench);
    // Standard input is /dev/null.
    let end = child.wait().await;
    assert!(matches!(end, Err(ConfineError::NonZero { code: 7, .. })), "{end:?}");
}

/// A worker that is killed takes its child with it. The worker is this test again, in a process of
/// its own, told by the environment where to say the child's process id.
#[tokio::test]
async fn a_killed_worker_takes_its_children_along() {
    const TOLD: &str = "REELPIN_TEST_CONFINE_WORKER";
    if let Some(file) = std::env::var_os(TOLD) {
        let child = Bench::shell().script("exec sleep 1000000").await;
        let half = Path::new(&file).with_extension("half");
        std::fs::write(&half, child.id().to_string()).unwrap();
        std::fs::rename(half, file).unwrap();
        let end = child.wait().await;
        panic!("{end:?}");
    }
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("pid");
    let mut worker = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "confine::life::a_killed_worker_takes_its_children_along"])
        .env(TOLD, &file)
        .env("TMPDIR", folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until("the worker has a child", || file.exists()).await;
    let pid: i32 = std::fs::read_to_string(&file).unwrap().parse().unwrap();
    assert!(!is_gone(pid));
    worker.kill().unwrap();
    worker.wait().unwrap();
    until("the child is gone", || is_gone(pid)).await;
}
