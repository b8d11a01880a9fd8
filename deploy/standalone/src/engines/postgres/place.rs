//! Where the cluster lies: below the data folder, or, where the user that must run it cannot get
//! there (root's private home), below the system's state folder under a name kept in the data folder.
use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::PostgresError;
use super::owner::Owner;
use crate::engines::{Secret, secret};

/// Where a system's services keep their state (Filesystem Hierarchy Standard, 5.8).
const SYSTEM_STATE: &str = "/var/lib/reelpin";

/// The cluster's home folder and owner.
#[derive(Debug)]
pub(super) struct Place {
    home: PathBuf,
    cluster: PathBuf,
    pub(super) owner: Owner,
    /// The data folder, where the home is not below it.
    moved_from: Option<PathBuf>,
}

impl Place {
    /// Decides and makes the home folder. `data` exists and is canonical.
    pub(super) fn choose(data: &Path) -> Result<Self, PostgresError> {
        let owner = Owner::decide()?;
        if let Owner::Other { .. } = owner {
            let_through(data, owner)?;
        }
        let marker = data.join("postgres.elsewhere");
        let inside = data.join("postgres");
        let (home, moved_from) = if !marker.exists() && owner.reaches(data) {
            (inside, None)
        } else {
            let name = secret::kept(&marker, || secret::random_hex(8).map(String::into_bytes))
                .map_err(PostgresError::storage("use", &marker))?;
            let name = String::from_utf8_lossy(&name).trim().replace(['/', '.'], "");
            make_passage(Path::new(SYSTEM_STATE))?;
            (Path::new(SYSTEM_STATE).join(name), Some(data.to_owned()))
        };
        match owner {
            Owner::Other { .. } => make_passage(&home)?,
            Owner::Ourselves { .. } => crate::engines::folder::make_private(&home)
                .map_err(PostgresError::storage("make", &home))?,
        }
        let cluster = home.join("cluster");
        Ok(Self { home, cluster, owner, moved_from })
    }

    /// PostgreSQL's own data folder.
    pub(super) fn cluster(&self) -> &Path {
        &self.cluster
    }

    /// A file or folder beside the cluster.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// The postmaster's log.
    pub(super) fn log(&self) -> PathBuf {
        self.home.join("postgresql.log")
    }

    /// The major version that made the cluster; `None` when there is no cluster yet.
    pub(super) fn version(&self) -> Option<u32> {
        fs::read_to_string(self.cluster.join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// The role's password; it lies beside the cluster that knows it.
    pub(super) fn password(&self) -> Result<Secret, PostgresError> {
        let path = self.home.join("password");
        secret::kept_hex(&path).map_err(PostgresError::storage("use", &path))
    }

    /// A sentence for the operator where the database is not in the data folder.
    pub(super) fn note(&self) -> Option<String> {
        let data = self.moved_from.as_ref()?;
        Some(format!(
            "the database is in {} because PostgreSQL's user cannot enter {}",
            self.home.display(),
            data.display()
        ))
    }
}

/// Lets other users pass through our own data folder, without seeing what is in it.
fn let_through(data: &Path, owner: Owner) -> Result<(), PostgresError> {
    let parents_reached = data.parent().is_none_or(|parent| owner.reaches(parent));
    if parents_reached && !owner.reaches(data) {
        let mode = fs::metadata(data).map_err(PostgresError::storage("look at", data))?;
        let passing = Permissions::from_mode(mode.permissions().mode() & 0o7777 | 0o011);
        fs::set_permissions(data, passing).map_err(PostgresError::storage("open", data))?;
    }
    Ok(())
}

/// Makes a folder that anybody may pass but only its owner may list.
fn make_passage(path: &Path) -> Result<(), PostgresError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o711)))
        .map_err(PostgresError::storage("make", path))
}
