//! The database after every kind of death.
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use super::{ask, data, start_postgres};

fn cluster(data: &Path) -> PathBuf {
    data.join("postgres/cluster")
}

fn postmaster(data: &Path) -> Pid {
    let text = std::fs::read_to_string(cluster(data).join("postmaster.pid")).unwrap();
    Pid::from_raw(text.lines().next().unwrap().trim().parse().unwrap()).unwrap()
}

#[tokio::test]
async fn a_killed_postmaster_is_told_and_comes_back() {
    let data = data();
    let engines = start_postgres(data.path()).await.unwrap();
    ask(engines.endpoints(), "CREATE TABLE kept (n INT8); INSERT INTO kept VALUES (7)").await;
    kill_process(postmaster(data.path()), Signal::KILL).unwrap();
    let failure = tokio::time::timeout(Duration::from_secs(10), engines.failed()).await.unwrap();
    assert_eq!(failure.engine, "postgresql");
    engines.stop().await;

    let engines = start_postgres(data.path()).await.unwrap();
    assert_eq!(ask(engines.endpoints(), "SELECT n FROM kept").await.as_deref(), Some("7"));
    engines.stop().await;
}

#[tokio::test]
async fn a_second_start_is_quick() {
    let data = data();
    let first = Instant::now();
    start_postgres(data.path()).await.unwrap().stop().await;
    let first = first.elapsed();
    let second = Instant::now();
    let engines = start_postgres(data.path()).await.unwrap();
    let second = second.elapsed();
    engines.stop().await;
    println!("first start {first:?} (with its stop), second {second:?}");
    assert!(second < first);
}

#[tokio::test]
async fn an_orphan_of_an_earlier_run_is_stopped() {
    let data = data();
    let engines = start_postgres(data.path()).await.unwrap();
    ask(engines.endpoints(), "CREATE TABLE kept (n INT8); INSERT INTO kept VALUES (7)").await;
    engines.stop().await;
    let sockets = tempfile::Builder::new().prefix("rp-orphan-").tempdir().unwrap();
    let mut orphan = orphan(&cluster(data.path()), sockets.path());
    let running = async {
        while !sockets.path().join(".s.PGSQL.5432").exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), running).await.unwrap();

    let engines = start_postgres(data.path()).await.unwrap();
    // It ended as it was asked to, and is a zombie until now, which must not have mattered.
    assert!(orphan.wait().unwrap().success());
    assert_eq!(ask(engines.endpoints(), "SELECT n FROM kept").await.as_deref(), Some("7"));
    engines.stop().await;
}

/// A postmaster that nobody's death ends.
fn orphan(cluster: &Path, sockets: &Path) -> std::process::Child {
    let programs = std::fs::read_dir("/usr/lib/postgresql").unwrap().map(Result::unwrap);
    let postgres = programs.map(|entry| entry.path().join("bin/postgres")).max().unwrap();
    let mut command = Command::new(postgres);
    if geteuid().is_root() {
        let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(cluster).unwrap());
        let group = std::os::unix::fs::MetadataExt::gid(&std::fs::metadata(cluster).unwrap());
        std::os::unix::fs::chown(sockets, Some(owner), Some(group)).unwrap();
        command.uid(owner).gid(group);
    }
    command.arg("-D").arg(cluster).args(["-c", "listen_addresses="]).arg("-c");
    command.arg(format!("unix_socket_directories={}", sockets.display()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Only does something when another test starts it as a process of its own.
#[tokio::test]
async fn helper_that_runs_until_it_is_killed() {
    let Some(data) = std::env::var_os("REELPIN_TEST_RUN_UNTIL_KILLED") else { return };
    let engines = start_postgres(Path::new(&data)).await.unwrap();
    ask(engines.endpoints(), "CREATE TABLE kept (n INT8); INSERT INTO kept VALUES (7)").await;
    std::fs::write(Path::new(&data).join("helper-is-ready"), "").unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_start_right_after_a_killed_process_works() {
    let data = data();
    let mut helper = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "engines::postgres::helper_that_runs_until_it_is_killed"])
        .env("REELPIN_TEST_RUN_UNTIL_KILLED", data.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ready = async {
        while !data.path().join("helper-is-ready").exists() {
            assert!(helper.try_wait().unwrap().is_none(), "the helper gave up");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ready).await.unwrap();
    helper.kill().unwrap();
    helper.wait().unwrap();

    let begun = Instant::now();
    let engines = start_postgres(data.path()).await.unwrap();
    println!("start after SIGKILL of everything: {:?}", begun.elapsed());
    assert_eq!(ask(engines.endpoints(), "SELECT n FROM kept").await.as_deref(), Some("7"));
    engines.stop().await;
}

#[tokio::test]
async fn many_connections_are_served() {
    let data = data();
    let engines = start_postgres(data.path()).await.unwrap();
    let endpoints = engines.endpoints();
    let asks = (0..60).map(|_| ask(endpoints, "SELECT pg_sleep(0.2)"));
    futures_util::future::join_all(asks).await;
    engines.stop().await;
}
