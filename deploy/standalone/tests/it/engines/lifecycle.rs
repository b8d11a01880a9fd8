//! Start, stop and start again; the same keys, the same data; one process at a time.
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use reelpin_standalone::engines::EngineError;

use super::{ask, data, options, start_all, start_bucket};

#[tokio::test]
async fn everything_is_there_again_after_a_stop() {
    let data = data();
    let engines = start_all(data.path()).await;
    let before = engines.endpoints().clone();
    ask(&before, "CREATE TABLE kept (n INT8); INSERT INTO kept VALUES (7)").await;
    engines.stop().await;

    let engines = start_all(data.path()).await;
    let after = engines.endpoints();
    assert_eq!(ask(after, "SELECT n FROM kept").await.as_deref(), Some("7"));
    let isolation = ask(after, "SHOW transaction_isolation").await;
    assert_eq!(isolation.as_deref(), Some("serializable"));
    assert_eq!(ask(after, "SHOW fsync").await.as_deref(), Some("on"));
    assert_eq!(ask(after, "SHOW listen_addresses").await.as_deref(), Some(""));
    assert_eq!(
        ask(after, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user").await.as_deref(),
        Some("f")
    );
    assert_eq!(before.database_url, after.database_url);
    let key = |e: &reelpin_standalone::engines::Endpoints| {
        e.s3.as_ref().map(|s3| (s3.access_key.clone(), s3.secret_key.clone()))
    };
    assert_eq!(key(&before), key(after));
    let password = |e: &reelpin_standalone::engines::Endpoints| {
        e.ipfs.as_ref().map(|ipfs| ipfs.rpc_password.clone())
    };
    assert_eq!(password(&before), password(after));
    engines.stop().await;
}

#[tokio::test]
async fn nobody_else_reads_what_is_kept() {
    let data = data();
    let engines = start_all(data.path()).await;
    let shown = format!("{:?}", engines.endpoints());
    let secret = engines.endpoints().s3.as_ref().unwrap().secret_key.expose().to_owned();
    engines.stop().await;
    assert!(!shown.contains(&secret));
    let mut files = 0;
    look_at(data.path(), &mut files);
    assert!(files >= 5, "{files}");
}

/// Every file that others could reach is closed to them.
fn look_at(folder: &Path, files: &mut u32) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let mode = entry.metadata().unwrap().permissions().mode();
        if entry.file_type().unwrap().is_dir() {
            assert_eq!(mode & 0o066, 0, "{} {mode:o}", entry.path().display());
            if mode & 0o011 != 0 {
                look_at(&entry.path(), files);
            }
            continue;
        }
        *files += 1;
        assert_eq!(mode & 0o077, 0, "{} {mode:o}", entry.path().display());
    }
    let secrets = folder.join("secrets");
    for secret in std::fs::read_dir(secrets).into_iter().flatten().map(Result::unwrap) {
        *files += 1;
        let mode = secret.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{}", secret.path().display());
    }
}

#[tokio::test]
async fn a_folder_has_one_user() {
    let data = data();
    let engines = start_bucket(data.path()).await;
    let second = reelpin_standalone::engines::Engines::start(options(data.path())).await;
    assert!(matches!(second, Err(EngineError::InUse { .. })));
    engines.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_told_and_nothing_stays_running() {
    let data = data();
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = options(data.path());
    options.want_postgres = false;
    options.rpc_listen = taken.local_addr().unwrap();
    let refused = reelpin_standalone::engines::Engines::start(options).await;
    assert!(
        matches!(refused, Err(EngineError::Bind { address, .. }) if address == taken.local_addr().unwrap())
    );
    // The lock was given back with everything else.
    start_all(data.path()).await.stop().await;
}
