//! The folder of the database's socket: short (a socket's path holds 107 bytes) and private.
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::PostgresError;
use super::owner::Owner;
use super::place::Place;
use crate::engines::secret;

/// Makes the folder, the same at each start where nobody else has taken its name.
pub(super) fn make(place: &Place) -> Result<PathBuf, PostgresError> {
    let digest = Sha256::digest(place.cluster().as_os_str().as_encoded_bytes());
    let name = data_encoding::HEXLOWER.encode(&digest[..6]);
    let uid = place.owner.uid();
    let random = secret::random_hex(6).unwrap_or_default();
    let mut last = (PathBuf::new(), io::Error::from(io::ErrorKind::NotFound));
    let candidates = [
        match place.owner {
            Owner::Other { .. } => PathBuf::from(format!("/run/reelpin/{name}")),
            Owner::Ourselves { .. } => PathBuf::from(format!("/run/user/{uid}/reelpin-{name}")),
        },
        PathBuf::from(format!("/tmp/reelpin-{uid}-{name}")),
        PathBuf::from(format!("/tmp/reelpin-{uid}-{random}")),
    ];
    for path in candidates {
        match claim(&path, place.owner) {
            Ok(()) => return Ok(path),
            Err(error) => last = (path, error),
        }
    }
    let (path, error) = last;
    Err(PostgresError::storage("make a private folder", &path)(error))
}

/// Makes `path` the owner's alone, or checks that it already is.
fn claim(path: &Path, owner: Owner) -> io::Result<()> {
    if let (Some(parent), Owner::Other { .. }) = (path.parent(), owner)
        && parent.starts_with("/run/reelpin")
    {
        DirBuilder::new().recursive(true).mode(0o711).create(parent)?;
        fs::set_permissions(parent, Permissions::from_mode(0o711))?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => owner.take(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let meta = fs::symlink_metadata(path)?;
            let ours = meta.is_dir() && meta.uid() == owner.uid() && meta.mode() & 0o077 == 0;
            if ours { Ok(()) } else { Err(error) }
        }
        Err(error) => Err(error),
    }
}
