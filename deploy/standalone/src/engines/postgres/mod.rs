//! A private PostgreSQL cluster: found, made, started, watched and stopped by us, reached over a
//! Unix socket that only its user and we can enter. SERIALIZABLE is the default of its transactions.
mod child;
mod initialise;
mod orphan;
mod owner;
mod place;
mod programs;
mod ready;
mod sockets;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use self::child::Child;
use self::place::Place;
use self::programs::Programs;
use super::Secret;

/// The role that owns the cluster and the name of its database.
const NAME: &str = "reelpin";
/// Part of the socket's file name; nothing listens on TCP.
const PORT: u16 = 5432;
/// A cluster that was cut off replays its log before it answers; a long one takes minutes.
const READY_WITHIN: Duration = Duration::from_secs(180);
/// How often a start is tried again when the postmaster gives up at once, as it does while a killed
/// one still holds its lock file.
const START_TRIES: u32 = 8;
const PAUSE_BETWEEN_TRIES: Duration = Duration::from_millis(250);
/// A fast shutdown writes a checkpoint; then we lose patience, and the next start recovers.
const FAST_SHUTDOWN: Duration = Duration::from_secs(20);
const IMMEDIATE_SHUTDOWN: Duration = Duration::from_secs(5);

/// Why the database did not start.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// No PostgreSQL on this machine.
    #[error(
        "its programs initdb and postgres are neither on the PATH nor below /usr/lib/postgresql; \
         install the package `postgresql`, or name a database in REELPIN_DATABASE_URL"
    )]
    NotInstalled,
    /// The cluster is of a major version of which no programs are installed.
    #[error(
        "the cluster in {path} was made by version {wanted}, which is not installed (found: {found:?})"
    )]
    Version {
        /// The cluster's folder.
        path: PathBuf,
        /// Its major version.
        wanted: u32,
        /// The major versions that are installed.
        found: Vec<u32>,
    },
    /// We are root, as which PostgreSQL refuses to run, and there is no user to run it as.
    #[error(
        "it refuses to run as root and there is no user `postgres`; run Reelpin as an ordinary user"
    )]
    NoUser,
    /// A file or folder of the cluster cannot be used.
    #[error("cannot {action} {path}: {source}")]
    Storage {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// One of its programs could not be run.
    #[error("cannot run {program}: {source}")]
    Run {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("initdb failed: {output}")]
    Initdb {
        /// The last lines it wrote.
        output: String,
    },
    /// The postmaster ended instead of starting.
    #[error("it ended at its start ({status}); its log {log} ends: {tail}")]
    Ended {
        /// Exit status or signal.
        status: String,
        /// The log file.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// It runs but does not answer.
    #[error("it did not answer within {0:?}")]
    NotReady(Duration),
    /// It answers, but not as wanted.
    #[error("it refused our first statements: {0}")]
    Refused(#[from] tokio_postgres::Error),
    /// A postmaster of an earlier run on this cluster cannot be stopped.
    #[error("process {pid} of an earlier run still uses the cluster and does not end")]
    Orphan {
        /// Its process id.
        pid: u32,
    },
}

impl PostgresError {
    fn storage(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Storage { action, path, source }
    }
}

/// The running database. Dropping it asks for a fast shutdown without waiting for it.
pub(super) struct Postgres {
    child: Child,
    place: Place,
    sockets: PathBuf,
    password: Secret,
}

impl Postgres {
    /// Starts the cluster of the data folder, which it makes at the first time (some seconds; later
    /// starts take a fraction of one).
    pub(super) async fn start(data: &Path, search_path: &OsStr) -> Result<Self, PostgresError> {
        let place = Place::choose(data)?;
        let programs = Programs::find(search_path, &place).await?;
        let password = place.password()?;
        if place.version().is_none() {
            initialise::make(&programs, &place, &password).await?;
        }
        orphan::end_all(place.cluster()).await?;
        let sockets = sockets::make(&place)?;
        let config = ready::config(&sockets, &password);
        let mut tries = 1;
        let child = loop {
            let child = Child::start(programs.postmaster(&place, &sockets)?).await?;
            match ready::wait(&child, &config, &place).await {
                Ok(()) => break child,
                Err(PostgresError::Ended { .. }) if tries < START_TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE_BETWEEN_TRIES).await;
                    orphan::end_all(place.cluster()).await?;
                }
                Err(error) => return Err(error),
            }
        };
        ready::create_database(&config).await?;
        Ok(Self { child, place, sockets, password })
    }

    /// `postgresql://` URL of the database, its host being the percent-encoded socket folder.
    pub(super) fn url(&self) -> Secret {
        let host = self.sockets.to_string_lossy().replace('%', "%25").replace('/', "%2F");
        let password = self.password.expose();
        Secret::new(format!("postgresql://{NAME}:{password}@{host}:{PORT}/{NAME}"))
    }

    /// What the operator should know about where it runs.
    pub(super) fn note(&self) -> Option<String> {
        self.place.note()
    }

    /// Waits for the postmaster to end and tells how, in words.
    pub(super) fn exited(&self) -> impl Future<Output = String> + Send + use<> {
        let exited = self.child.exited();
        let log = self.place.log();
        async move {
            let status = exited.await;
            format!("{status}; its log {} ends: {}", log.display(), ready::tail(&log))
        }
    }

    /// Fast shutdown; harder ones when it takes too long.
    pub(super) async fn stop(self) {
        for (signal, patience) in [
            (Signal::INT, FAST_SHUTDOWN),
            (Signal::QUIT, IMMEDIATE_SHUTDOWN),
            (Signal::KILL, IMMEDIATE_SHUTDOWN),
        ] {
            self.child.signal(signal);
            if tokio::time::timeout(patience, self.child.exited()).await.is_ok() {
                break;
            }
            tracing::warn!(?signal, "postgresql did not end in time");
        }
    }
}
