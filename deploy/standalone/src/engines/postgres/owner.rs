//! The user as whom PostgreSQL runs: ourselves, or `postgres` when we are root.
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::PostgresError;

/// The user that Debian, Fedora, Alpine and the official image create for PostgreSQL.
const SYSTEM_USER: &str = "postgres";

/// Who owns the cluster and runs its processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// We do; we are not root.
    Ourselves {
        /// Our user id.
        uid: u32,
    },
    /// We are root and hand it to this user.
    Other {
        /// Its user id.
        uid: u32,
        /// Its main group.
        gid: u32,
    },
}

impl Owner {
    /// Decides by who we are.
    pub(super) fn decide() -> Result<Self, PostgresError> {
        let uid = rustix::process::geteuid();
        if !uid.is_root() {
            return Ok(Self::Ourselves { uid: uid.as_raw() });
        }
        let users = Path::new("/etc/passwd");
        let text = fs::read_to_string(users).map_err(PostgresError::storage("read", users))?;
        let (uid, gid) = user_in(&text, SYSTEM_USER).ok_or(PostgresError::NoUser)?;
        Ok(Self::Other { uid, gid })
    }

    /// Its user id.
    pub(super) fn uid(self) -> u32 {
        match self {
            Self::Ourselves { uid } | Self::Other { uid, .. } => uid,
        }
    }

    /// Gives a file or folder to the user.
    pub(super) fn take(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Ourselves { .. } => Ok(()),
            Self::Other { uid, gid } => std::os::unix::fs::chown(path, Some(uid), Some(gid)),
        }
    }

    /// Whether the user can enter `path` through all its parents, by their mode bits.
    pub(super) fn reaches(self, path: &Path) -> bool {
        let Self::Other { uid, gid } = self else { return true };
        path.ancestors().all(|folder| {
            fs::metadata(folder).is_ok_and(|meta| {
                let bit = match (meta.uid() == uid, meta.gid() == gid) {
                    (true, _) => 0o100,
                    (false, true) => 0o010,
                    (false, false) => 0o001,
                };
                meta.mode() & bit != 0
            })
        })
    }
}

/// User id and main group of `name` in the text of a passwd file.
fn user_in(passwd: &str, name: &str) -> Option<(u32, u32)> {
    let mut lines = passwd.lines().map(|line| line.split(':'));
    let mut fields =
        lines.find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
    Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::user_in;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgresql:x:1:2::/:\npostgres:x:101:104:PostgreSQL,,,:/v:/b\n";
        assert_eq!(user_in(passwd, "postgres"), Some((101, 104)));
        assert_eq!(user_in(passwd, "post"), None);
    }
}
