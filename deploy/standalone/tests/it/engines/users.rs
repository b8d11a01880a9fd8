//! The engines as root and as an ordinary user, and where root's private folders put the database.
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;

use super::{ask, data, start_all, start_postgres};

/// Only does something when another test starts it as another user.
#[tokio::test]
async fn helper_that_starts_and_stops() {
    let Some(data) = std::env::var_os("REELPIN_TEST_START_AND_STOP") else { return };
    assert!(!geteuid().is_root());
    for _ in 0..2 {
        let engines = start_all(Path::new(&data)).await;
        assert_eq!(ask(engines.endpoints(), "SELECT 1").await.as_deref(), Some("1"));
        assert!(engines.notes().is_empty());
        engines.stop().await;
    }
    std::fs::write(Path::new(&data).join("helper-is-done"), "").unwrap();
}

#[tokio::test]
async fn an_ordinary_user_can_run_them() {
    if !geteuid().is_root() {
        // Then every other test here is this one.
        return;
    }
    let data = data();
    std::os::unix::fs::chown(data.path(), Some(65534), Some(65534)).unwrap();
    // The test program lies where that user may not look.
    let program = data.path().join("it");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(&program)
        .args(["--exact", "engines::users::helper_that_starts_and_stops", "--nocapture"])
        .env("REELPIN_TEST_START_AND_STOP", data.path())
        .env("HOME", data.path())
        .current_dir("/")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(data.path().join("helper-is-done").exists(), "{output:?}");
}

#[tokio::test]
async fn a_database_that_its_user_cannot_reach_lies_elsewhere() {
    if !geteuid().is_root() {
        return;
    }
    let home = data();
    std::fs::set_permissions(home.path(), Permissions::from_mode(0o700)).unwrap();
    let data = home.path().join("data");
    let engines = start_postgres(&data).await.unwrap();
    let note = engines.notes().first().cloned().unwrap();
    assert_eq!(ask(engines.endpoints(), "SELECT 1").await.as_deref(), Some("1"));
    engines.stop().await;
    let again = start_postgres(&data).await.unwrap();
    assert_eq!(again.notes().first(), Some(&note));
    again.stop().await;
    let elsewhere = note.split_whitespace().find(|word| word.starts_with("/var/lib/")).unwrap();
    std::fs::remove_dir_all(elsewhere).unwrap();
}
