//! Where the programs are, and what they need to load.

use std::{
    ffi::OsStr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{ConfineError, Program};

/// Folders of shared libraries and of the dynamic linker; those that exist are readable.
const LIBRARIES: [&str; 6] =
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store"];

/// The programs, found once at start.
#[derive(Debug, Clone)]
pub struct Toolbox {
    /// Absolute path of ffmpeg, without symbolic links.
    pub ffmpeg: PathBuf,
    /// Absolute path of ffprobe, without symbolic links.
    pub ffprobe: PathBuf,
    /// Folders that both may read and execute from: libraries and the dynamic linker.
    pub libraries: Vec<PathBuf>,
    /// Programs (or folders of them) that a child may start in turn. Empty, as it should be, also
    /// forbids it to fork.
    pub helpers: Vec<PathBuf>,
}

impl Toolbox {
    /// Looks for both programs in `search`, folders separated by `:` as in `PATH`.
    ///
    /// # Errors
    /// [`ConfineError::NotFound`] names the first that is missing.
    pub fn find(search: &OsStr) -> Result<Self, ConfineError> {
        let find = |program: Program| {
            std::env::split_paths(search)
                .filter(|folder| folder.is_absolute())
                .find_map(|folder| executable(&folder.join(program.name())))
                .ok_or_else(|| ConfineError::NotFound {
                    program: program.name(),
                    searched: search.into(),
                })
        };
        Ok(Self::with(find(Program::Ffmpeg)?, find(Program::Ffprobe)?))
    }

    /// Uses these two, absolute and without symbolic links.
    pub fn with(ffmpeg: PathBuf, ffprobe: PathBuf) -> Self {
        let beside = [&ffmpeg, &ffprobe].map(|program| library_beside(program));
        let libraries = LIBRARIES
            .iter()
            .map(PathBuf::from)
            .chain(beside.into_iter().flatten())
            .filter(|folder| folder.is_dir())
            .collect();
        Self { ffmpeg, ffprobe, libraries, helpers: Vec::new() }
    }

    pub(super) fn path(&self, program: Program) -> &Path {
        match program {
            Program::Ffmpeg => &self.ffmpeg,
            Program::Ffprobe => &self.ffprobe,
        }
    }
}

fn executable(path: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().ok()?;
    let meta = path.metadata().ok()?;
    (meta.is_file() && meta.permissions().mode() & 0o111 != 0).then_some(path)
}

/// `/opt/ffmpeg/lib` for `/opt/ffmpeg/bin/ffmpeg`.
fn library_beside(program: &Path) -> Option<PathBuf> {
    Some(program.parent()?.parent()?.join("lib"))
}
