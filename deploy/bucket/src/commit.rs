//! Changes of what a key names: an object put in place, an object removed.
use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use s3s::{S3Result, s3_error};

use crate::condition::WriteIf;
use crate::draft::Draft;
use crate::fault::{in_the_way, ours};
use crate::key::Key;
use crate::open::{self, Opened};
use crate::record::{Record, mtime};
use crate::store::{Store, sync_folder};

/// Gives a complete draft the name of `key` if `condition` allows it. Afterwards the object is durable,
/// and whoever reads has either the old one or this one, each with its own record.
///
/// `record` need not know size and time. Gives the record as it is kept.
pub(crate) fn put(
    store: &Store,
    draft: Draft,
    key: &Key,
    mut record: Record,
    condition: &WriteIf,
) -> S3Result<Record> {
    record.size = draft.size;
    record.mtime = store.stamp(&draft.file).map_err(ours)?;
    store.keep.write(&draft.file, key, &record).map_err(ours)?;
    let placed = draft
        .file
        .sync_all()
        .map_err(ours)
        .and_then(|()| named(store, &draft.path, key, condition));
    if let Err(error) = placed {
        store.keep.forget(key, record.mtime);
        return Err(error);
    }
    draft.named();
    Ok(record)
}

fn named(store: &Store, draft: &Path, key: &Key, condition: &WriteIf) -> S3Result<()> {
    store.present()?;
    let path = store.path(key);
    let parent = path.parent().unwrap_or(&store.bucket);
    let turn = store.turn(key);
    if condition.matches.is_some() || (condition.any() && !condition.only_new()) {
        let present = open::find(store, key)?;
        condition.allows(present.as_ref().map(|object| object.record.etag.as_str()))?;
    }
    let before = fs::symlink_metadata(&path).ok().map(|about| mtime(&about));
    let placed = store.place(parent, || match condition.only_new() {
        true => rename_new(draft, &path),
        false => fs::rename(draft, &path),
    });
    let refused = match placed {
        Ok(()) => None,
        Err(error) => Some(match error.kind() {
            io::ErrorKind::AlreadyExists if path.is_dir() => in_the_way(),
            io::ErrorKind::AlreadyExists => s3_error!(PreconditionFailed),
            io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::DirectoryNotEmpty => in_the_way(),
            _ => ours(error),
        }),
    };
    if let (None, Some(before)) = (&refused, before) {
        store.keep.forget(key, before);
    }
    drop(turn);
    // Of a refusal too: "it is there already" must be as durable as "it is there now".
    match (refused, sync_folder(parent)) {
        (Some(_), Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(ours(error)),
        (Some(refused), _) => Err(refused),
        (None, Ok(())) => Ok(()),
        // Deleted again, and the folder with it.
        (None, Err(error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        (None, Err(error)) => Err(ours(error)),
    }
}

/// Makes the name of an object durable that somebody else may just have given it.
pub(crate) fn settle(store: &Store, key: &Key) -> S3Result<()> {
    let path = store.path(key);
    match sync_folder(path.parent().unwrap_or(&store.bucket)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ours(error)),
        _ => Ok(()),
    }
}

/// `rename` that replaces nothing, in one step.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system can; a second name is as atomic.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        other => Ok(other?),
    }
}

/// Removes the object of this key if `condition` allows it; whether there was one. The removal is as
/// durable as `forget_folder` of its folder makes it.
pub(crate) fn remove(store: &Store, key: &Key, condition: &WriteIf) -> S3Result<bool> {
    let path = store.path(key);
    let _turn = store.turn(key);
    let Some(about) = open::look(&path)? else {
        store.present()?;
        return if condition.any() { Err(s3_error!(NoSuchKey)) } else { Ok(false) };
    };
    if condition.any() {
        let present: Option<Opened> = open::find(store, key)?;
        condition.allows(present.as_ref().map(|object| object.record.etag.as_str()))?;
    }
    fs::remove_file(&path).map_err(ours)?;
    store.keep.forget(key, mtime(&about));
    Ok(true)
}

/// Makes removals in a folder durable, and removes the folder if it is empty now.
pub(crate) fn forget_folder(store: &Store, folder: &Path) -> S3Result<()> {
    match sync_folder(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(ours(error)),
        _ => {}
    }
    store.prune(folder);
    Ok(())
}
