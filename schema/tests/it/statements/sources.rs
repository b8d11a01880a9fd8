//! No source of the product holds a statement that is on no list. The types say so too, but only where the
//! product is built without its tests, which ask for the feature `unlisted`.

use std::path::{Path, PathBuf};

/// Where the product's sources are.
const SOURCES: [&str; 4] = ["schema/src", "gateway/src", "transcoder/src", "deploy/standalone/src"];

/// Files that may, and why.
const MAY: [(&str, &str); 2] = [
    ("engines/postgres/ready.rs", "gives the local PostgreSQL its role and database"),
    ("tasks/pin.rs", "has a planted fault, which no product has"),
];

fn sources(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|end| end == "rs") {
            all.push(path);
        }
    }
}

/// The lines of a source on which a text begins like a statement, or like a named one outside of `sql!`.
fn loose(source: &str) -> Vec<usize> {
    let verbs = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "WITH ", "CREATE "];
    let listed = ["sql!(", "Session,", "Transaction,", "Migration,", "Statement,"];
    source
        .match_indices('"')
        .filter(|(at, _)| {
            let (before, text) = (source[..*at].trim_end(), &source[at + 1..]);
            let before = before.trim_end_matches("concat!(").trim_end();
            let named =
                text.strip_prefix("-- ").is_some_and(|name| name.starts_with(char::is_lowercase));
            (named || verbs.iter().any(|verb| text.starts_with(verb)))
                && !listed.iter().any(|end| before.ends_with(end))
        })
        .map(|(at, _)| source[..at].matches('\n').count() + 1)
        .collect()
}

#[test]
fn every_statement_of_a_source_is_on_the_list() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut all, mut bad) = (Vec::new(), Vec::new());
    SOURCES.iter().for_each(|folder| sources(&root.join(folder), &mut all));
    assert!(all.len() > 100, "the sources were not found");
    for path in all {
        let lines = loose(&std::fs::read_to_string(&path).unwrap());
        if !lines.is_empty() && !MAY.iter().any(|(may, _)| path.ends_with(may)) {
            bad.push(format!("{}: {lines:?}", path.display()));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn a_statement_that_is_not_listed_is_found() {
    assert_eq!(loose("tx.exec(\n\"SELECT 1\", &[])"), [2]);
    assert_eq!(loose("tx.exec(\"-- a.b\\nSELECT 1\", &[])"), [1]);
    assert_eq!(loose("tx.exec(sql!(\"-- a.b\\nSELECT 1\"), &[])"), [0; 0]);
    assert_eq!(loose("tx.exec(sql!(concat!(\n\"-- a.b\\nSELECT 1\", x)), &[])"), [0; 0]);
}
