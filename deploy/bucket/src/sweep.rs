//! What a start removes: what a crash left, and what another backend kept.
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::keep::name;
use crate::key::Key;
use crate::record::mtime;
use crate::walk::Walk;

/// An upload in parts of which nothing came for this long is given up.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// Removes all drafts: whoever wrote them is gone.
pub(crate) fn drafts(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Removes the uploads in parts that got nothing for a day before `now` (in nanoseconds since 1970).
pub(crate) fn uploads(folder: &Path, now: i128) -> io::Result<()> {
    let limit = i128::try_from(ABANDONED.as_nanos()).unwrap_or(i128::MAX);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if now - mtime(&entry.metadata()?) > limit {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Removes what `s3s-fs` kept beside its objects: drafts, parts, and records of objects, whose ETag is
/// computed again when it is asked for.
pub(crate) fn foreign(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let file = entry.file_name();
        let Some(file) = file.to_str() else { continue };
        let record = file.starts_with(".bucket-") && file.ends_with(".json");
        let draft = file.starts_with(".tmp.") && file.ends_with(".internal.part");
        let upload = file.starts_with(".upload-") && file.ends_with(".json");
        let part = file.starts_with(".upload_id-") && file.contains(".part-");
        if (record || draft || upload || part) && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Removes the records kept apart that no object has.
pub(crate) fn records(folder: &Path, bucket: &Path) -> io::Result<()> {
    let mut kept = std::collections::HashSet::new();
    for found in Walk::new(bucket.to_owned(), String::new(), None) {
        let found = found?;
        if let (Ok(key), Ok(about)) = (Key::parse(&found), fs::metadata(bucket.join(&found))) {
            kept.insert(name(&key, mtime(&about)));
        }
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(|name| kept.contains(name)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
