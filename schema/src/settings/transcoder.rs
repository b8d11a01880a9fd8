//! What the worker is told beside the engines.

use std::path::PathBuf;

use super::Source;

/// What the transcoder needs beside the engines.
#[derive(Debug, Clone)]
pub struct Transcoder {
    /// Folder for work in progress.
    pub work: PathBuf,
    /// Name of this worker, for display.
    pub name: String,
}

impl Transcoder {
    /// Reads `REELPIN_WORK` and `REELPIN_WORKER_NAME`.
    pub fn read(source: &mut Source, default_work: PathBuf) -> Self {
        Self {
            work: source.get("REELPIN_WORK").map_or(default_work, PathBuf::from),
            name: source.get("REELPIN_WORKER_NAME").unwrap_or_else(|| "worker".to_owned()),
        }
    }
}
