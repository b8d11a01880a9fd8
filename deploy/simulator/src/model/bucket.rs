//! A bucket in memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use reelpin_schema::bucket::{
    BucketError, Content, Head, Listed, Object, Objects, Part, PresignedPut,
};
use sha2::{Digest as _, Sha256};

use crate::gate::{Actor, Effect, Gates, Verdict};
use crate::turns::epoch;

#[derive(Clone)]
struct Stored {
    bytes: Bytes,
    etag: String,
    at: Duration,
}

/// The objects that all models of a world share.
pub struct BucketStore {
    objects: Mutex<BTreeMap<String, Stored>>,
    page: AtomicUsize,
}

impl BucketStore {
    /// An empty one, whose listings have `page` keys.
    pub fn new(page: usize) -> Self {
        Self { objects: Mutex::default(), page: AtomicUsize::new(page) }
    }

    /// From now on listings have so many keys.
    pub fn set_page(&self, page: usize) {
        self.page.store(page, Ordering::Relaxed);
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Stored>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every key.
    pub fn keys(&self) -> Vec<String> {
        self.objects().keys().cloned().collect()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.objects().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.objects().is_empty()
    }

    /// An object's bytes.
    pub fn get(&self, key: &str) -> Option<Bytes> {
        self.objects().get(key).map(|stored| stored.bytes.clone())
    }

    /// A browser's PUT to its address; false when the address took one before.
    pub fn put_by_client(&self, key: &str, bytes: Bytes, once: bool, at: Duration) -> bool {
        self.put(key, bytes, once, at)
    }

    fn put(&self, key: &str, bytes: Bytes, once: bool, at: Duration) -> bool {
        let mut objects = self.objects();
        if once && objects.contains_key(key) {
            return false;
        }
        let etag = format!("\"{:x}\"", Sha256::digest(&bytes));
        objects.insert(key.to_owned(), Stored { bytes, etag, at });
        true
    }

    fn copy(&self, from: &str, etag: &str, to: &str, at: Duration) -> Result<(), BucketError> {
        let found = self.objects().get(from).cloned();
        let found = found.ok_or(BucketError::Missing { call: "CopyObject" })?;
        if found.etag != etag {
            return Err(BucketError::Precondition { call: "CopyObject" });
        }
        self.put(to, found.bytes, false, at);
        Ok(())
    }

    fn remove(&self, keys: &[String]) {
        let mut objects = self.objects();
        for key in keys {
            objects.remove(key);
        }
    }
}

/// The bucket as one actor reaches it.
pub struct BucketModel {
    store: Arc<BucketStore>,
    gates: Gates,
    actor: Actor,
    once: bool,
}

/// What the caller hears who hears no answer.
fn silent(call: &'static str) -> BucketError {
    BucketError::TimedOut { call }
}

impl BucketModel {
    /// For an actor; with `once`, presigned addresses take one PUT only.
    pub fn new(store: Arc<BucketStore>, gates: Gates, actor: Actor, once: bool) -> Self {
        Self { store, gates, actor, once }
    }

    /// A question: without an answer, nothing else is lost.
    async fn ask<T>(
        &self,
        call: &'static str,
        answer: impl FnOnce() -> Result<T, BucketError>,
    ) -> Result<T, BucketError> {
        match self.gates.wait(self.actor, Effect::Bucket(call)).await {
            Verdict::Run => answer(),
            Verdict::Fail => {
                let code = "SlowDown".to_owned();
                Err(BucketError::Refused { call, status: 503, code })
            }
            Verdict::Lost | Verdict::Late | Verdict::Conflict => Err(silent(call)),
        }
    }

    /// A change: it may happen without an answer, at once or later.
    async fn change<T>(
        &self,
        call: &'static str,
        key: &str,
        change: impl FnOnce() -> Result<T, BucketError> + Send + 'static,
    ) -> Result<T, BucketError> {
        match self.gates.wait(self.actor, Effect::Bucket(call)).await {
            Verdict::Run => change(),
            Verdict::Fail | Verdict::Conflict => {
                let code = "SlowDown".to_owned();
                Err(BucketError::Refused { call, status: 503, code })
            }
            Verdict::Lost => {
                let _ = change();
                Err(silent(call))
            }
            Verdict::Late => {
                let land = Box::new(move || drop(change()));
                self.gates.later(format!("{call} {key}"), land);
                Err(silent(call))
            }
        }
    }
}

#[async_trait]
impl Objects for BucketModel {
    async fn check(&self) -> Result<(), BucketError> {
        self.ask("check", || Ok(())).await
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, BucketError> {
        self.ask("head", || {
            let found = self.store.objects().get(key).cloned();
            Ok(found.map(|stored| Head { size: stored.bytes.len() as u64, etag: stored.etag }))
        })
        .await
    }

    async fn get(&self, key: &str, range: Option<(u64, u64)>) -> Result<Object, BucketError> {
        self.ask("get", || {
            let bytes = self.store.get(key).ok_or(BucketError::Missing { call: "GetObject" })?;
            let bytes = match range {
                Some((from, to)) => {
                    let end = usize::try_from(to + 1).unwrap_or(usize::MAX).min(bytes.len());
                    bytes.slice(usize::try_from(from).unwrap_or(end).min(end)..end)
                }
                None => bytes,
            };
            Ok(Object { size: bytes.len() as u64, body: ByteStream::from(bytes) })
        })
        .await
    }

    async fn get_range(
        &self,
        key: &str,
        (from, to): (u64, u64),
        etag: &str,
    ) -> Result<Part, BucketError> {
        self.ask("get_range", || {
            let found = self.store.objects().get(key).cloned();
            let found = found.ok_or(BucketError::Missing { call: "GetObject" })?;
            if found.etag != etag {
                return Err(BucketError::Precondition { call: "GetObject" });
            }
            let size = found.bytes.len();
            let end = usize::try_from(to.saturating_add(1)).unwrap_or(usize::MAX).min(size);
            let bytes = found.bytes.slice(usize::try_from(from).unwrap_or(end).min(end)..end);
            let range = format!("bytes {from}-{}/{size}", end.saturating_sub(1));
            Ok(Part { range: Some(range), etag: Some(found.etag), body: ByteStream::from(bytes) })
        })
        .await
    }

    async fn put(
        &self,
        key: &str,
        content: &Content,
        _kind: &str,
        once: bool,
    ) -> Result<(), BucketError> {
        let Content::Bytes(bytes) = content else {
            return Err(BucketError::Read("a model takes no flows".into()));
        };
        let (store, gates) = (Arc::clone(&self.store), self.gates.clone());
        let (name, bytes) = (key.to_owned(), bytes.clone());
        self.change("put", key, move || {
            if store.put(&name, bytes, once, gates.clock()) {
                Ok(())
            } else {
                Err(BucketError::Precondition { call: "PutObject" })
            }
        })
        .await
    }

    async fn copy(&self, from: &str, etag: &str, to: &str) -> Result<(), BucketError> {
        let (store, gates) = (Arc::clone(&self.store), self.gates.clone());
        let (source, etag, target) = (from.to_owned(), etag.to_owned(), to.to_owned());
        self.change("copy", to, move || store.copy(&source, &etag, &target, gates.clock())).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<Listed>, BucketError> {
        self.ask("list", || {
            let objects = self.store.objects();
            let listed = objects
                .iter()
                .filter(|(key, _)| key.starts_with(prefix))
                .filter(|(key, _)| after.is_none_or(|after| key.as_str() > after))
                .take(self.store.page.load(Ordering::Relaxed))
                .map(|(key, stored)| Listed {
                    key: key.clone(),
                    size: stored.bytes.len() as u64,
                    modified: Some(epoch() + stored.at),
                });
            Ok(listed.collect())
        })
        .await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), BucketError> {
        let (store, all) = (Arc::clone(&self.store), keys.to_vec());
        let first = keys.first().cloned().unwrap_or_default();
        self.change("delete", &first, move || {
            store.remove(&all);
            Ok(())
        })
        .await
    }

    async fn presign_put(
        &self,
        key: &str,
        _size: u64,
        _valid: Duration,
        _once: bool,
    ) -> Result<PresignedPut, BucketError> {
        // Signing asks nobody.
        Ok(PresignedPut { url: format!("model://{key}"), headers: BTreeMap::new() })
    }

    async fn honours_once(&self) -> Result<bool, BucketError> {
        Ok(self.once)
    }
}
