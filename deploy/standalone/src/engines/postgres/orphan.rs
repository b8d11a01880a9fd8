//! Processes of an earlier run that still use the cluster: told to end before a new one starts.
//! They are known by their working folder, which every PostgreSQL process sets to its cluster's.
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::time::Instant;

use super::PostgresError;

const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How long each signal gets: the postmaster's fast shutdown; then an immediate one; then the kernel.
const STEPS: [(Signal, Duration); 3] = [
    (Signal::INT, Duration::from_secs(20)),
    (Signal::QUIT, Duration::from_secs(5)),
    (Signal::KILL, Duration::from_secs(5)),
];
/// What the children of a killed postmaster get to notice it and end by themselves.
const CHILDREN_END: Duration = Duration::from_secs(5);

/// Ends whatever runs on the cluster. We hold the data folder's lock, so that it is nobody's but an
/// earlier run's. Then removes a stale lock file, whose process id may have come to mean another.
pub(super) async fn end_all(cluster: &Path) -> Result<(), PostgresError> {
    let lock = cluster.join("postmaster.pid");
    let text = match fs::read_to_string(&lock) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(PostgresError::storage("read", &lock)(error)),
    };
    let postmaster: Option<u32> = text.lines().next().and_then(|line| line.trim().parse().ok());
    match postmaster.filter(|pid| running_on(cluster).contains(pid)) {
        Some(pid) => tracing::warn!(pid, "stopping the postgresql of an earlier run"),
        None => _ = gone_within(cluster, CHILDREN_END).await,
    }
    for (signal, patience) in STEPS {
        let running = running_on(cluster);
        // The postmaster ends its children itself; alone they are signalled one by one.
        match postmaster.filter(|pid| running.contains(pid)) {
            Some(postmaster) => send(cluster, postmaster, signal),
            None => running.into_iter().for_each(|pid| send(cluster, pid, signal)),
        }
        if gone_within(cluster, patience).await {
            return match fs::remove_file(&lock) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(PostgresError::storage("remove", &lock)(error))
                }
                _ => Ok(()),
            };
        }
    }
    Err(PostgresError::Orphan { pid: running_on(cluster).first().copied().unwrap_or_default() })
}

async fn gone_within(cluster: &Path, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while !running_on(cluster).is_empty() {
        if Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    true
}

/// Live processes whose working folder is the cluster; a zombie has none.
fn running_on(cluster: &Path) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| works_in(*pid, cluster))
        .collect()
}

fn works_in(pid: u32, cluster: &Path) -> bool {
    let named_postgres = || {
        let program = fs::read_link(format!("/proc/{pid}/exe")).ok();
        program.is_some_and(|exe| {
            // After an upgrade of the package the link ends in " (deleted)".
            exe.file_name().is_some_and(|name| name.to_string_lossy().starts_with("postgres"))
        })
    };
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == cluster) && named_postgres()
}

/// Signals the process through a handle that was checked after it was opened.
fn send(cluster: &Path, pid: u32, signal: Signal) {
    let Some(raw) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    if let Ok(handle) = pidfd_open(raw, PidfdFlags::empty())
        && works_in(pid, cluster)
    {
        let _ = pidfd_send_signal(&handle, signal);
    }
}
