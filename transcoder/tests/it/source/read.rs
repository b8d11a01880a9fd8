//! What a source gives: the right bytes, each fetched once, within the cache's bound.

use std::time::Duration;

use reelpin_schema::cid::Checksum;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::stand::{MIB, Stand, noise, words};

#[tokio::test(flavor = "multi_thread")]
async fn any_range_gives_its_bytes() {
    let stand = Stand::open().await;
    let bytes = noise(9 * MIB + 17);
    let source = stand.source(&stand.original(bytes.clone()).await);
    let size = bytes.len() as u64;
    assert_eq!((source.size(), source.fetched()), (size, 0), "opening fetches nothing");
    for (offset, length) in [
        (0, 1),
        (0, 0),
        (4 * MIB - 1, 2),
        (4 * MIB, 4 * MIB),
        (3, 9 * MIB),
        (size - 1, 1),
        (size - 1, 5),
        (size, 1),
        (size + 5, u64::MAX),
        (0, u64::MAX),
    ] {
        let from = usize::try_from(offset.min(size)).unwrap();
        let to = usize::try_from(offset.saturating_add(length).min(size)).unwrap();
        let read = source.read(offset, length).await.unwrap();
        assert!(read == bytes[from..to.max(from)], "{length} bytes at {offset}");
    }
    assert_eq!(source.fetched(), size, "each byte came once");
    assert_eq!(source.digest().await.unwrap(), Checksum::of(&bytes));
    assert_eq!(source.fetched(), size);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_an_original_too() {
    let stand = Stand::open().await;
    let source = stand.source(&stand.original("").await);
    assert_eq!(source.digest().await.unwrap(), Checksum::of(b""));
    assert!(source.read(0, 10).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_share_what_is_fetched() {
    let stand = Stand::open().await;
    let bytes = noise(21 * MIB);
    let video = stand.original(bytes.clone()).await;
    let mut readers = JoinSet::new();
    for reader in 0..12_u64 {
        let source = stand.source(&video);
        readers.spawn(async move {
            if reader % 2 == 0 {
                return source.digest().await.unwrap();
            }
            Checksum::of(&source.read(0, u64::MAX).await.unwrap())
        });
    }
    while let Some(read) = readers.join_next().await {
        assert_eq!(read.unwrap(), Checksum::of(&bytes));
    }
    assert_eq!(stand.source(&video).fetched(), 21 * MIB);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_has_a_bound_and_ends_with_its_sources() {
    let stand = Stand::with_cache(9 * MIB).await;
    let (one, two) = (noise(21 * MIB), noise(6 * MIB));
    let (first, second) = (stand.original(one.clone()).await, stand.original(two.clone()).await);
    for _ in 0..2 {
        for (video, bytes) in [(&first, &one), (&second, &two)] {
            let source = stand.source(video);
            assert_eq!(source.digest().await.unwrap(), Checksum::of(bytes));
            assert!(stand.sources.cached() <= 9 * MIB, "{}", stand.sources.cached());
            assert!(stand.files() <= 3, "{} files", stand.files());
        }
    }
    assert!(stand.files() > 0);
    stand.sources.forget(first.id);
    stand.sources.forget(second.id);
    // The last reader's fetch may be on its way out.
    stand.sources.close().await;
    assert_eq!((stand.sources.cached(), stand.files()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_may_go_at_any_time() {
    let stand = Stand::open().await;
    let bytes = noise(21 * MIB);
    let video = stand.original(bytes.clone()).await;
    for wait in [0, 1, 2, 5, 10, 20, 40] {
        let source = stand.source(&video);
        let _ = timeout(Duration::from_millis(wait), source.digest()).await;
        let _ = timeout(Duration::from_millis(wait), source.read(7 * MIB, 9 * MIB)).await;
    }
    let source = stand.source(&video);
    assert_eq!(source.digest().await.unwrap(), Checksum::of(&bytes));
    assert_eq!(source.fetched(), 21 * MIB, "a fetch goes on for the next reader");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_object_under_the_key_is_an_error() {
    let stand = Stand::open().await;
    let bytes = noise(13 * MIB);
    let video = stand.original(bytes.clone()).await;
    let source = stand.source(&video);
    assert!(source.read(0, MIB).await.unwrap() == bytes[..1 << 20]);
    let mut other = bytes.to_vec();
    other.reverse();
    stand.replace(&video, other.into()).await;

    assert!(source.read(2 * MIB, 10).await.is_ok(), "what is here is of the old one");
    let key = &video.file_path;
    let (said, away) = words(source.read(4 * MIB, 10).await);
    assert_eq!(said, format!("{key} is no longer the same object: its ETag is another"));
    assert!(!away);
    assert_eq!(words(source.digest().await).0, said);

    stand.bucket.client.delete(std::slice::from_ref(key)).await.unwrap();
    let (said, away) = words(source.read(8 * MIB, 10).await);
    assert_eq!((said.as_str(), away), ("GetObject: there is no such object", false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_changed_is_another_source() {
    let stand = Stand::open().await;
    let bytes = noise(2 * MIB);
    let mut video = stand.original(bytes.clone()).await;
    let old = stand.source(&video);
    old.read(0, 1).await.unwrap();
    let other = stand.original(noise(3 * MIB).slice(5..)).await;
    (video.file_path, video.file_size, video.etag) = (other.file_path, other.file_size, other.etag);
    let new = stand.source(&video);
    assert_eq!(new.digest().await.unwrap(), Checksum::of(&noise(3 * MIB)[5..]));
    video.checksum = Some("0".repeat(64));
    stand.sources.forget(video.id);
    drop((old, new));
    let changed = stand.source(&video).digest().await.unwrap_err().to_string();
    assert!(changed.starts_with("the original's checksum is "), "{changed}");
}
