//! Sizes of objects, remembered: a key is written once, so a size never changes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::app::App;
use crate::problem::Problem;

/// The most sizes kept; then all are forgotten and asked for again.
const MOST: usize = 16_384;

/// Bytes by key.
#[derive(Default)]
pub(crate) struct Cache(Mutex<HashMap<String, u64>>);

impl Cache {
    pub(crate) fn get(&self, key: &str) -> Option<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    pub(crate) fn put(&self, key: &str, size: u64) {
        let mut sizes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sizes.len() >= MOST {
            sizes.clear();
        }
        sizes.insert(key.to_owned(), size);
    }
}

/// Bytes of an object.
pub(crate) async fn of(app: &App, key: &str) -> Result<u64, Problem> {
    if let Some(size) = app.sizes.get(key) {
        return Ok(size);
    }
    let head = app.engines.bucket.head(key).await?.ok_or_else(Problem::file_not_found)?;
    app.sizes.put(key, head.size);
    Ok(head.size)
}
