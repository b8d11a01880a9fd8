//! The plan decides and does nothing: what it must not know stands in none of its files.

use std::fs;
use std::path::Path;

#[test]
fn no_io_no_clock_no_runtime() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut n_files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            n_files += 1;
            let text = fs::read_to_string(&path).unwrap();
            for word in ["std::fs", "std::process", "std::time", "std::env", "std::net", "tokio"] {
                assert!(!text.contains(word), "{} knows {word}", path.display());
            }
            assert!(text.starts_with("//!"), "{} does not say what it owns", path.display());
            assert!(text.lines().count() <= 400, "{} is too long", path.display());
        }
    }
    assert!(n_files > 20);
}
