//! Secrets: made once, kept in files that only their owner can read, never shown in a log.
use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rand::TryRngCore as _;
use rand::rngs::OsRng;

/// A string that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps what must not be printed.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value itself, for whoever hands it to a client.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// `bytes` random bytes of the operating system as lower-case hex digits.
pub(super) fn random_hex(bytes: usize) -> io::Result<String> {
    let mut buffer = vec![0; bytes];
    OsRng.try_fill_bytes(&mut buffer).map_err(io::Error::other)?;
    Ok(data_encoding::HEXLOWER.encode(&buffer))
}

/// The bytes kept in `path`; made by `make` and written whole (mode 0600) when there is no such file.
pub(super) fn kept(path: &Path, make: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Ok(bytes) => {
            fs::set_permissions(path, Permissions::from_mode(0o600))?;
            Ok(bytes)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let bytes = make()?;
            write_whole(path, &bytes)?;
            Ok(bytes)
        }
        Err(error) => Err(error),
    }
}

/// As [`kept`], for one random secret of 32 bytes in hex.
pub(super) fn kept_hex(path: &Path) -> io::Result<Secret> {
    let bytes = kept(path, || random_hex(32).map(String::into_bytes))?;
    let text =
        String::from_utf8(bytes).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
    Ok(Secret(text.trim().to_owned()))
}

/// Writes a file of mode 0600 so that after any crash the old bytes or all the new ones are there.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.draft", random_hex(4)?));
    let draft = Path::new(&draft);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(draft, path)
    })();
    if let Err(error) = written {
        let _ = fs::remove_file(draft);
        return Err(error);
    }
    File::open(folder)?.sync_all()
}
