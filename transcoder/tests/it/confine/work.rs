//! Work folders, and what a killed worker leaves.

use std::{fs, os::unix::fs::symlink};

use reelpin_transcoder::confine::WorkRoot;
use tempfile::TempDir;

fn names(root: &TempDir) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(root.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn folders_go_with_their_handles() {
    let root = TempDir::new().unwrap();
    let work = WorkRoot::open(root.path()).unwrap();
    let folder = work.folder().unwrap();
    let path = folder.path().to_owned();
    fs::create_dir(path.join("sub")).unwrap();
    fs::write(path.join("sub/file"), "x").unwrap();
    assert_ne!(work.folder().unwrap().path(), path);
    drop(work);
    assert!(path.exists(), "still held");
    drop(folder);
    assert_eq!(names(&root), [""; 0]);
}

#[test]
fn a_start_sweeps_the_dead_and_spares_the_living() {
    let root = TempDir::new().unwrap();
    let elsewhere = TempDir::new().unwrap();
    fs::write(elsewhere.path().join("precious"), "x").unwrap();

    let living = WorkRoot::open(root.path()).unwrap();
    let folder = living.folder().unwrap();
    // What a killed worker leaves: no lock. Within it, links that lead out.
    let dead = root.path().join("reelpin-work-7");
    fs::create_dir_all(dead.join("3")).unwrap();
    symlink(elsewhere.path(), dead.join("3/out")).unwrap();
    // Not ours: other names, files, and a link with our name.
    fs::create_dir(root.path().join("reelpin-work-")).unwrap();
    fs::create_dir(root.path().join("reelpin-work-7x")).unwrap();
    fs::write(root.path().join("reelpin-work-8"), "x").unwrap();
    symlink(elsewhere.path(), root.path().join("reelpin-work-9")).unwrap();

    let second = WorkRoot::open(root.path()).unwrap();
    assert_ne!(second.folder().unwrap().path(), folder.path());
    assert!(!dead.exists());
    assert!(folder.path().exists() && elsewhere.path().join("precious").exists());
    let stay = ["", "0", "1", "7x", "8", "9"].map(|end| format!("reelpin-work-{end}"));
    assert_eq!(names(&root), stay);
}
