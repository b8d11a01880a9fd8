//! The recursive pins: one durable file for each, which holds its name, and all of them in memory.
//! The name says what the gateway may serve.
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use ipld_core::cid::Cid;

use crate::engines::{folder, secret};

/// Pins of this name are published: the gateway serves what is below them.
pub(super) const PUBLISHED: &str = "published";
/// Kubo's limit for a pin's name.
pub(super) const MAX_NAME: usize = 255;

/// Recursive pins with their names; a pin without one has the empty name.
pub(super) struct Roots {
    folder: PathBuf,
    names: RwLock<HashMap<Cid, String>>,
}

impl Roots {
    /// Reads the pins kept in `folder`.
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        folder::make_private(&folder)?;
        let mut names = HashMap::new();
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let cid = path.file_name().and_then(|name| Cid::try_from(name.to_str()?).ok());
            match cid {
                Some(cid) => _ = names.insert(cid, fs::read_to_string(&path)?),
                // A draft of a write that was cut off.
                None => fs::remove_file(&path)?,
            }
        }
        Ok(Self { folder, names: RwLock::new(names) })
    }

    /// All pins and their names.
    pub(super) fn all(&self) -> Vec<(Cid, String)> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.iter().map(|(cid, name)| (*cid, name.clone())).collect()
    }

    /// The name of a pin; `None` when it is not pinned.
    pub(super) fn name(&self, cid: &Cid) -> Option<String> {
        self.names.read().unwrap_or_else(PoisonError::into_inner).get(cid).cloned()
    }

    /// Whether the gateway may serve what is below this root.
    pub(super) fn is_published(&self, cid: &Cid) -> bool {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.get(cid).is_some_and(|name| name == PUBLISHED)
    }

    /// Keeps a pin and its name; both are on the disk when this returns. All that it holds has to be
    /// there before.
    pub(super) async fn set(&self, cid: Cid, name: String) -> io::Result<()> {
        let (path, kept) = (self.path(&cid), name.clone());
        on_disk(move || secret::write_whole(&path, kept.as_bytes())).await?;
        self.names.write().unwrap_or_else(PoisonError::into_inner).insert(cid, name);
        Ok(())
    }

    /// Forgets a pin; the disk has when this returns, and before the map does, so that whoever failed
    /// asks again.
    pub(super) async fn forget(&self, cid: Cid) -> io::Result<()> {
        let (path, folder) = (self.path(&cid), self.folder.clone());
        on_disk(move || {
            remove(&path)?;
            fs::File::open(folder)?.sync_all()
        })
        .await?;
        self.names.write().unwrap_or_else(PoisonError::into_inner).remove(&cid);
        Ok(())
    }

    fn path(&self, cid: &Cid) -> PathBuf {
        self.folder.join(cid.to_string())
    }
}

async fn on_disk(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
