//! The keys of a bucket in the order of their bytes, read folder by folder as they are asked for.
//!
//! A folder's entries are sorted with a slash behind the names of folders: then the keys below a folder
//! stand where they belong among the files beside it (`a-b`, `a/c`, `a0`). Only folders that can hold
//! a wanted key are read.
use std::fs;
use std::io;
use std::path::PathBuf;
use std::vec;

/// A walk over the keys that begin with a prefix and come after a marker.
#[derive(Debug)]
pub(crate) struct Walk {
    bucket: PathBuf,
    prefix: String,
    after: Option<String>,
    skipped: Option<String>,
    /// The rest of each folder on the way, as key or as prefix of keys (with a slash at its end).
    rest: Vec<vec::IntoIter<String>>,
    begun: bool,
}

impl Walk {
    /// A walk over `bucket`; `after` itself is not given.
    pub(crate) fn new(bucket: PathBuf, prefix: String, after: Option<String>) -> Self {
        Self { bucket, prefix, after, skipped: None, rest: Vec::new(), begun: false }
    }

    /// Leaves out whatever is still to come that begins with `common`.
    pub(crate) fn leave_out(&mut self, common: String) {
        self.skipped = Some(common);
    }

    /// Whether keys that begin with `folder`, or this key itself, may be wanted.
    fn wants(&self, entry: &str) -> bool {
        let folder = entry.ends_with('/');
        let prefixed =
            entry.starts_with(&self.prefix) || (folder && self.prefix.starts_with(entry));
        let later = self
            .after
            .as_deref()
            .is_none_or(|after| entry > after || (folder && after.starts_with(entry)));
        let skipped = self.skipped.as_deref().is_some_and(|common| entry.starts_with(common));
        prefixed && later && !skipped
    }

    /// Reads the folder of this prefix. One that vanished meanwhile is empty.
    fn enter(&mut self, folder: &str) -> io::Result<()> {
        let entries = match fs::read_dir(self.bucket.join(folder)) {
            Ok(entries) => entries,
            Err(error) if gone(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            // What is no text cannot have come through here.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let kind = match entry.file_type() {
                Ok(kind) => kind,
                Err(error) if gone(&error) => continue,
                Err(error) => return Err(error),
            };
            let name = match (kind.is_dir(), kind.is_file()) {
                (true, _) => format!("{folder}{name}/"),
                (_, true) => format!("{folder}{name}"),
                _ => continue,
            };
            if self.wants(&name) {
                names.push(name);
            }
        }
        names.sort_unstable();
        self.rest.push(names.into_iter());
        Ok(())
    }

    /// The deepest folder that all wanted keys are in.
    fn begin(&mut self) -> io::Result<()> {
        let folder = self.prefix.rfind('/').and_then(|end| self.prefix.get(..=end)).unwrap_or("");
        // A prefix that no key has must not lead out of the bucket.
        let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        if folder.trim_end_matches('/').is_empty() && !folder.is_empty() {
            return Ok(());
        }
        if !folder.is_empty() && !folder.strip_suffix('/').unwrap_or("").split('/').all(plain) {
            return Ok(());
        }
        let folder = folder.to_owned();
        self.enter(&folder)
    }
}

impl Iterator for Walk {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.begun {
            self.begun = true;
            if let Err(error) = self.begin() {
                return Some(Err(error));
            }
        }
        loop {
            let Some(entry) = self.rest.last_mut()?.next() else {
                self.rest.pop();
                continue;
            };
            if !self.wants(&entry) {
                continue;
            }
            if !entry.ends_with('/') {
                return Some(Ok(entry));
            }
            if let Err(error) = self.enter(&entry) {
                return Some(Err(error));
            }
        }
    }
}

fn gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
