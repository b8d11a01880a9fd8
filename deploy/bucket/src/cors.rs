//! The bucket's CORS rules: kept, and asked by whoever answers browsers.
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use s3s::dto::CORSRule;
use serde::{Deserialize, Serialize};

use crate::store::sync_folder;

/// A rule as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    id: Option<String>,
    origins: Vec<String>,
    methods: Vec<String>,
    headers: Option<Vec<String>>,
    exposed: Option<Vec<String>>,
    max_age: Option<i32>,
}

/// The rules in this file; none where it is missing.
pub(crate) fn read(path: &Path) -> io::Result<Vec<CORSRule>> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    let kept: Vec<Kept> = serde_json::from_slice(&text)?;
    let rule = |kept: Kept| CORSRule {
        id: kept.id,
        allowed_origins: kept.origins,
        allowed_methods: kept.methods,
        allowed_headers: kept.headers,
        expose_headers: kept.exposed,
        max_age_seconds: kept.max_age,
    };
    Ok(kept.into_iter().map(rule).collect())
}

/// Replaces the rules in this file, durably and in one step; no rules, no file.
pub(crate) fn write(path: &Path, rules: &[CORSRule]) -> io::Result<()> {
    let kept = |rule: &CORSRule| Kept {
        id: rule.id.clone(),
        origins: rule.allowed_origins.clone(),
        methods: rule.allowed_methods.clone(),
        headers: rule.allowed_headers.clone(),
        exposed: rule.expose_headers.clone(),
        max_age: rule.max_age_seconds,
    };
    let text = serde_json::to_vec(&rules.iter().map(kept).collect::<Vec<_>>())?;
    let draft = path.with_extension("draft");
    let mut file = File::create(&draft)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Whether a rule lets pages of `origin` send `method`.
pub(crate) fn allows(rules: &[CORSRule], origin: &str, method: &str) -> bool {
    rules.iter().any(|rule| {
        rule.allowed_methods.iter().any(|allowed| allowed == method)
            && rule.allowed_origins.iter().any(|allowed| fits(allowed, origin))
    })
}

/// Whether a pattern with at most one `*`, which stands for anything, is this origin.
fn fits(pattern: &str, origin: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == origin,
        Some((before, after)) => {
            origin.len() >= before.len() + after.len()
                && origin.starts_with(before)
                && origin.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_name_origins_and_methods() {
        let rule = |origin: &str| CORSRule {
            allowed_origins: vec![origin.to_owned()],
            allowed_methods: vec!["GET".to_owned()],
            ..CORSRule::default()
        };
        for (pattern, origin, method, expected) in [
            ("*", "https://a.example", "GET", true),
            ("*", "https://a.example", "PUT", false),
            ("https://a.example", "https://a.example", "GET", true),
            ("https://a.example", "https://a.example.evil", "GET", false),
            ("https://*.example", "https://a.example", "GET", true),
            ("https://*.example", "http://a.example", "GET", false),
            ("https://a*a.example", "https://a.example", "GET", false),
        ] {
            assert_eq!(allows(&[rule(pattern)], origin, method), expected, "{pattern} {origin}");
        }
    }
}
