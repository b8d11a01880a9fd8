//! PostgreSQL's programs on this machine, and how they are called.
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::owner::Owner;
use super::place::Place;
use super::{PORT, PostgresError};

/// Where Debian puts each major version's programs, in `<major>/bin`.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Where a build from source, and Fedora's own packages, end up.
const OTHERS: [&str; 2] = ["/usr/local/pgsql/bin", "/usr/pgsql/bin"];
/// A log beyond this many bytes is moved aside at the next start.
const LOG_LIMIT: u64 = 8 << 20;

/// The programs of one version, which lie beside each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Programs {
    major: u32,
    folder: PathBuf,
}

impl Programs {
    /// The newest version there is, or that of the cluster where one exists.
    pub(super) async fn find(search_path: &OsStr, place: &Place) -> Result<Self, PostgresError> {
        let mut found = BTreeSet::new();
        for folder in folders(search_path) {
            if let Some(major) = version_in(&folder).await {
                found.insert(Self { major, folder });
            }
        }
        match place.version() {
            None => found.pop_last().ok_or(PostgresError::NotInstalled),
            Some(wanted) => {
                let majors = found.iter().map(|programs| programs.major).collect();
                found.into_iter().find(|programs| programs.major == wanted).ok_or_else(|| {
                    let path = place.cluster().to_owned();
                    PostgresError::Version { path, wanted, found: majors }
                })
            }
        }
    }

    /// `initdb` as the cluster's owner, without arguments.
    pub(super) fn initdb(&self, owner: Owner) -> Command {
        self.command("initdb", owner, false)
    }

    /// The postmaster over the place's cluster, its log appended to the place's log file.
    pub(super) fn postmaster(
        &self,
        place: &Place,
        sockets: &Path,
    ) -> Result<Command, PostgresError> {
        let log = place.log();
        if fs::metadata(&log).is_ok_and(|meta| meta.len() > LOG_LIMIT) {
            let _ = fs::rename(&log, place.beside("postgresql.log.1"));
        }
        let open = || {
            let log = OpenOptions::new().append(true).create(true).mode(0o600).open(&log)?;
            Ok((log.try_clone()?, log))
        };
        let (out, err) = open().map_err(PostgresError::storage("open", &log))?;
        let mut command = self.command("postgres", place.owner, true);
        command.arg("-D").arg(place.cluster()).stdout(out).stderr(err);
        let mut set = |name: &str, value: &OsStr| {
            let mut setting = std::ffi::OsString::from(name);
            setting.push("=");
            setting.push(value);
            command.arg("-c").arg(setting);
        };
        set("unix_socket_directories", sockets.as_os_str());
        set("port", OsStr::new(&PORT.to_string()));
        for (name, value) in [
            ("listen_addresses", ""),
            ("unix_socket_permissions", "0700"),
            ("max_connections", "100"),
            ("shared_buffers", "64MB"),
            ("default_transaction_isolation", "serializable"),
            // Serializable keeps a lock per page read; the default of 64 turns them coarse early.
            ("max_pred_locks_per_transaction", "256"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("log_line_prefix", "%m [%p] "),
            // Refused serializable transactions are retried: they are no news.
            ("log_min_error_statement", "panic"),
        ] {
            set(name, OsStr::new(value));
        }
        Ok(command)
    }

    /// A program in its own process group (Ctrl-C is ours to handle), as the owner, ended by the
    /// kernel when its thread ends if `with_us`.
    fn command(&self, program: &str, owner: Owner, with_us: bool) -> Command {
        let program = self.folder.join(program);
        let setpriv = Path::new("/usr/bin/setpriv");
        let mut command = match owner {
            Owner::Ourselves { .. } if !(with_us && setpriv.exists()) => Command::new(&program),
            _ => {
                let mut wrapped = Command::new(setpriv);
                if let Owner::Other { uid, gid } = owner {
                    wrapped.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}"));
                    wrapped.arg("--clear-groups");
                }
                if with_us {
                    wrapped.arg("--pdeathsig=INT");
                }
                wrapped.arg("--").arg(&program);
                wrapped
            }
        };
        command.current_dir("/").process_group(0).stdin(Stdio::null());
        // Our environment can hold secrets, and PG* names would change what the programs do.
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        command
    }
}

/// Folders that hold both programs, each named once by its true path.
fn folders(search_path: &OsStr) -> BTreeSet<PathBuf> {
    let debian = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let debian = debian.map(|entry| entry.path().join("bin"));
    let others = OTHERS.iter().map(PathBuf::from);
    std::env::split_paths(search_path)
        .chain(debian)
        .chain(others)
        // A link on the PATH, or a wrapper beside none of its siblings, is followed to its target.
        .filter_map(|folder| folder.join("postgres").canonicalize().ok())
        .filter_map(|postgres| postgres.parent().map(Path::to_owned))
        .filter(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
        .collect()
}

/// The major version that the folder's `postgres` tells of itself.
async fn version_in(folder: &Path) -> Option<u32> {
    let mut command = tokio::process::Command::new(folder.join("postgres"));
    command.arg("--version").stdin(Stdio::null()).kill_on_drop(true);
    let output =
        tokio::time::timeout(Duration::from_secs(10), command.output()).await.ok()?.ok()?;
    major(&String::from_utf8(output.stdout).ok()?)
}

fn major(version: &str) -> Option<u32> {
    let number = version.trim().strip_prefix("postgres (PostgreSQL) ")?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn versions_are_read() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 19devel"), Some(19));
        assert_eq!(major("postmaster 7"), None);
    }
}
