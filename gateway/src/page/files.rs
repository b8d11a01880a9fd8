//! Files of the web app's folder, and nothing beside it: kept in memory while they do not change.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, VARY};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::playback::condition;
use crate::playback::text::gzip;

/// The most bytes of one file; the player's script has 1.4 MB.
const LARGEST: u64 = 8 * 1024 * 1024;

/// The most files kept.
const MOST: usize = 512;

/// Folders that are no part of the page.
const HIDDEN: &[&str] = &["tests", "node_modules"];

/// Installed packages' files under names of ours.
const VENDOR: &[(&str, &str)] = &[
    ("vendor/hls.mjs", "node_modules/hls.js/dist/hls.mjs"),
    ("vendor/hls.worker.js", "node_modules/hls.js/dist/hls.worker.js"),
];

pub(super) struct Files {
    folder: PathBuf,
    kept: Mutex<HashMap<PathBuf, Arc<File>>>,
}

pub(super) struct File {
    plain: Bytes,
    gzip: Option<Bytes>,
    /// Without quotes.
    tag: String,
    kind: &'static str,
    changed: Option<SystemTime>,
}

impl Files {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, kept: Mutex::default() }
    }

    /// A file by its path below `/app/`.
    pub(super) async fn get(&self, path: &str) -> Option<Arc<File>> {
        let vendor = VENDOR.iter().find(|(name, _)| *name == path).map(|(_, file)| *file);
        let inner = match vendor {
            Some(file) => file,
            None if is_inside(path) => path,
            None => return None,
        };
        let kind = kind(inner)?;
        // Links may stay inside of the folder only.
        let folder = tokio::fs::canonicalize(&self.folder).await.ok()?;
        let path = tokio::fs::canonicalize(folder.join(inner)).await.ok()?;
        if !path.starts_with(&folder) {
            return None;
        }
        let facts = tokio::fs::metadata(&path).await.ok()?;
        if !facts.is_file() || facts.len() > LARGEST {
            return None;
        }
        let changed = facts.modified().ok();
        if let Some(kept) = self.kept(&path)
            && kept.changed == changed
            && kept.plain.len() as u64 == facts.len()
        {
            return Some(kept);
        }
        let plain = Bytes::from(tokio::fs::read(&path).await.ok()?);
        let file =
            tokio::task::spawn_blocking(move || File::new(plain, kind, changed)).await.ok()?;
        Some(self.keep(&path, file))
    }

    fn kept(&self, path: &Path) -> Option<Arc<File>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    fn keep(&self, path: &Path, file: File) -> Arc<File> {
        let file = Arc::new(file);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(path.to_owned(), file.clone());
        file
    }
}

impl File {
    fn new(plain: Bytes, kind: &'static str, changed: Option<SystemTime>) -> Self {
        let digest = Sha256::digest(&plain);
        let tag = HEXLOWER.encode(digest.get(..16).unwrap_or_default());
        Self { gzip: gzip(&plain), plain, tag, kind, changed }
    }

    pub(super) fn answer(
        &self,
        method: &Method,
        request: &HeaderMap,
        page: &HeaderMap,
    ) -> Response {
        let zipped = self.gzip.as_ref().filter(|_| condition::takes_gzip(request));
        let (bytes, etag) = match zipped {
            Some(bytes) => (bytes, format!("\"{}.gz\"", self.tag)),
            None => (&self.plain, format!("\"{}\"", self.tag)),
        };
        let mut headers = page.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if condition::has_it(request, &etag) {
            headers.insert(ETAG, HeaderValue::from_str(&etag).unwrap_or(EMPTY));
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        headers.insert(ETAG, HeaderValue::from_str(&etag).unwrap_or(EMPTY));
        if zipped.is_some() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.insert(CONTENT_LENGTH, bytes.len().into());
        let body = if method == Method::HEAD { Body::empty() } else { Body::from(bytes.clone()) };
        (headers, body).into_response()
    }
}

const EMPTY: HeaderValue = HeaderValue::from_static("");

/// Plain names only: nothing upwards, absolute, hidden, or of another platform's paths.
fn is_inside(path: &str) -> bool {
    path.split('/').all(|part| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    }) && !HIDDEN.iter().any(|hidden| path.split('/').next() == Some(hidden))
}

/// The types of files that a page is made of; others are not served.
fn kind(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
}
