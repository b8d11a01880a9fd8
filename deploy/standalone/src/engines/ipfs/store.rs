//! The blocks on the disk, in three folders. The network's half of the node sees only the last.
//!
//! - `loose`: put and not pinned yet. Not synced, gone with the next start or collection.
//! - `kept`: synced before the pin that needs it was written; stays until a collection finds no pin.
//! - `shared`: hard links to what published roots reach. Bitswap reads here, so an original cannot be
//!   fetched however it is asked for, and whether a link is here says whether a block is public.
//!
//! A pin costs two syncs of the file system, a block none: in small blocks a sync for each costs more
//! than writing them.
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ipld_core::cid::Cid;
use rust_ipfs::Block;

use crate::engines::folder;

/// Blocks are files of this ending, as rust-ipfs names them.
const ENDING: &str = "data";

/// What is stored, by name.
pub(super) struct Store {
    loose: PathBuf,
    kept: PathBuf,
    shared: PathBuf,
    drafts: AtomicU64,
    /// Held by the one that moves blocks; whether some were moved and are not synced yet.
    moving: Mutex<bool>,
}

/// How much is stored.
#[derive(Default)]
pub(super) struct Stored {
    pub(super) blocks: u64,
    pub(super) bytes: u64,
}

impl Store {
    /// Opens the folders below the node's home and empties `loose`. `shared` is rust-ipfs's own
    /// block store.
    pub(super) fn open(home: &Path, shared: PathBuf) -> io::Result<Self> {
        let (loose, kept) = (home.join("repo/loose"), home.join("repo/blockstore"));
        match fs::remove_dir_all(&loose) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        for folder in [&loose, &kept, &shared] {
            folder::make_private(folder)?;
        }
        Ok(Self { loose, kept, shared, drafts: AtomicU64::new(0), moving: Mutex::new(false) })
    }

    /// Whether a block is here.
    pub(super) fn has(&self, cid: &Cid) -> io::Result<bool> {
        let kept = path(&self.kept, cid);
        // A pin moves blocks from `loose` to `kept`, perhaps between two looks.
        Ok(kept.try_exists()? || self.loose(cid).try_exists()? || kept.try_exists()?)
    }

    /// Whether a published root reaches this block, or did so before the last collection.
    pub(super) fn is_shared(&self, cid: &Cid) -> io::Result<bool> {
        path(&self.shared, cid).try_exists()
    }

    /// A block, its bytes compared with its name.
    ///
    /// # Errors
    /// `InvalidData` for other bytes than the name says.
    pub(super) fn get(&self, cid: &Cid) -> io::Result<Option<Block>> {
        // The third look as in `has`.
        for path in [path(&self.kept, cid), self.loose(cid), path(&self.kept, cid)] {
            match fs::read(path) {
                Ok(bytes) => {
                    let block = Block::new(*cid, bytes)
                        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
                    return Ok(Some(block));
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Stores a block, unpinned; in place of one whose bytes have gone bad, too.
    pub(super) fn put(&self, block: &Block) -> io::Result<()> {
        match self.get(block.cid()) {
            Ok(Some(_)) => return Ok(()),
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::InvalidData => self.discard(block.cid())?,
            Err(error) => return Err(error),
        }
        let number = self.drafts.fetch_add(1, Ordering::Relaxed);
        let draft = self.loose.join(format!("{number}.draft"));
        let written = (|| {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
            file.write_all(block.data())?;
            fs::rename(&draft, self.loose(block.cid()))
        })();
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written
    }

    /// Removes the names of a block under which other bytes lie. Another may have put it meanwhile.
    fn discard(&self, cid: &Cid) -> io::Result<()> {
        let _moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        for path in [path(&self.shared, cid), path(&self.kept, cid), self.loose(cid)] {
            match fs::read(&path) {
                Ok(bytes) => {
                    if Block::new(*cid, bytes).is_err() {
                        fs::remove_file(path)?;
                    }
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes sure that these blocks outlive a power cut, and shows them to the network if `share`.
    pub(super) fn keep<'a>(
        &self,
        cids: impl Iterator<Item = &'a Cid> + Clone,
        share: bool,
    ) -> io::Result<()> {
        let mut moved = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        let loose: Vec<_> =
            cids.clone().map(|cid| (cid, self.loose(cid))).filter(|(_, p)| p.exists()).collect();
        if !loose.is_empty() {
            self.sync()?;
        }
        for (cid, loose) in loose {
            *moved = true;
            into_folder(&path(&self.kept, cid), |kept| fs::rename(&loose, kept))?;
        }
        for cid in cids.filter(|_| share) {
            let kept = path(&self.kept, cid);
            match into_folder(&path(&self.shared, cid), |shared| fs::hard_link(&kept, shared)) {
                Ok(()) => *moved = true,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        if *moved {
            self.sync()?;
            *moved = false;
        }
        Ok(())
    }

    /// Removes every block that `is_kept` does not want, and hides those that `is_shared` does not
    /// want. Returns what was removed.
    pub(super) fn sweep(
        &self,
        is_kept: impl Fn(&Cid) -> bool,
        is_shared: impl Fn(&Cid) -> bool,
    ) -> io::Result<Vec<Cid>> {
        let mut removed = Vec::new();
        each(&self.shared, |cid, file| match is_shared(&cid) {
            true => Ok(()),
            false => fs::remove_file(file),
        })?;
        for folder in [&self.loose, &self.kept] {
            each(folder, |cid, file| {
                if !is_kept(&cid) {
                    fs::remove_file(file)?;
                    removed.push(cid);
                }
                Ok(())
            })?;
        }
        Ok(removed)
    }

    /// Counts blocks and bytes.
    pub(super) fn stored(&self) -> io::Result<Stored> {
        let mut stored = Stored::default();
        for folder in [&self.loose, &self.kept] {
            each(folder, |_, file| {
                stored.blocks += 1;
                // Collected in between, it counts as nothing.
                stored.bytes += fs::metadata(file).map_or(0, |file| file.len());
                Ok(())
            })?;
        }
        Ok(stored)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(File::open(&self.kept)?)?)
    }

    fn loose(&self, cid: &Cid) -> PathBuf {
        self.loose.join(format!("{}.{ENDING}", name(cid)))
    }
}

/// Where rust-ipfs looks for a block: folders named by the last three characters but one.
fn path(folder: &Path, cid: &Cid) -> PathBuf {
    let name = name(cid);
    let shard = name.len().checked_sub(3).and_then(|at| name.get(at..at + 2)).unwrap_or("_");
    folder.join(shard).join(format!("{name}.{ENDING}"))
}

fn name(cid: &Cid) -> String {
    Cid::new_v1(cid.codec(), *cid.hash()).to_string()
}

/// Does `work` on a path, whose folder is made where it is missing.
fn into_folder(path: &Path, work: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    match work(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            path.parent().map_or(Ok(()), folder::make_private)?;
            work(path)
        }
        done => done,
    }
}

/// Every block file in a folder and in the folders of it.
fn each(folder: &Path, mut seen: impl FnMut(Cid, &Path) -> io::Result<()>) -> io::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == ENDING)
                && let Some(cid) = path.file_stem().and_then(|stem| stem.to_str())
                && let Ok(cid) = Cid::try_from(cid)
            {
                seen(cid, &path)?;
            }
        }
    }
    Ok(())
}
