//! Folders that were there before: another backend's, changed by hand, without attributes.
use std::fs;

use reelpin_bucket::Bucket;
use s3s::S3;
use s3s::dto::*;

use super::request::{NAME, head, put, request};

const HELLO: &str = "5d41402abc4b2a76b9719d911017c592";

#[tokio::test]
async fn objects_of_another_backend_stay_and_its_records_go() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("reelpin/v1")).unwrap();
    fs::write(root.join("reelpin/v1/a"), "hello").unwrap();
    let foreign = [
        ".bucket-cmVlbHBpbg.object-djEvYQ.internal.json",
        ".bucket-cmVlbHBpbg.object-djEvYQ.metadata.json",
        ".tmp.7.internal.part",
        ".upload-5b0c.json",
        ".upload_id-5b0c.part-1",
    ];
    for name in foreign {
        fs::write(root.join(name), "{}").unwrap();
    }
    fs::write(root.join("notes.txt"), "mine").unwrap();
    let bucket = Bucket::open(root, NAME).unwrap();
    assert!(foreign.iter().all(|name| !root.join(name).exists()));
    assert!(root.join("notes.txt").exists());
    let about = head(&bucket, "v1/a").await.unwrap();
    assert_eq!(about.e_tag.unwrap().into_value(), HELLO);
    assert_eq!(about.content_length, Some(5));
}

#[tokio::test]
async fn what_was_changed_by_hand_has_the_etag_of_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = Bucket::open(folder.path(), NAME).unwrap();
    let tag = put(&bucket, "a/b", b"HELLO".to_vec()).await.unwrap();
    assert_eq!(head(&bucket, "a/b").await.unwrap().e_tag.unwrap().into_value(), tag);
    assert_eq!(fs::read(folder.path().join("reelpin/a/b")).unwrap(), b"HELLO");
    fs::write(folder.path().join("reelpin/a/b"), "hello").unwrap();
    assert_eq!(head(&bucket, "a/b").await.unwrap().e_tag.unwrap().into_value(), HELLO);
}

#[tokio::test]
async fn nothing_stays_behind_a_delete() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = Bucket::open(folder.path(), NAME).unwrap();
    put(&bucket, "a/b/c", b"hello".to_vec()).await.unwrap();
    let input = DeleteObjectInput {
        bucket: NAME.to_owned(),
        key: "a/b/c".to_owned(),
        ..Default::default()
    };
    bucket.delete_object(request(input)).await.unwrap();
    let left = |path: &str| fs::read_dir(folder.path().join(path)).unwrap().count();
    assert_eq!((left("reelpin"), left(".reelpin/drafts"), left(".reelpin/uploads")), (0, 0, 0));
}

/// Writes below a folder that deletes empty again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_vanishes_under_a_write_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = Bucket::open(folder.path(), NAME).unwrap();
    let writers = (0..4).map(async |writer| {
        for _ in 0..25 {
            let key = format!("a/b/{writer}");
            put(&bucket, &key, b"hello".to_vec()).await.unwrap();
            let input = DeleteObjectInput { bucket: NAME.to_owned(), key, ..Default::default() };
            bucket.delete_object(request(input)).await.unwrap();
        }
    });
    futures_util::future::join_all(writers).await;
    assert_eq!(fs::read_dir(folder.path().join(NAME)).unwrap().count(), 0);
}
