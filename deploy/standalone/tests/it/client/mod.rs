//! The uploading client against a server that imitates the contract and misbehaves on request.

mod server;

use std::{path::PathBuf, sync::Arc};

use reelpin_standalone::client::{ClientError, Summary, upload};
use server::{Imitation, Turn};

/// A file whose every piece differs, so that a PUT that begins in the middle would be seen.
fn film(folder: &tempfile::TempDir, name: &str, size: usize) -> (PathBuf, Vec<u8>) {
    let bytes: Vec<u8> = (0..size).map(|n| (n * 31 + n / 251) as u8).collect();
    let file = folder.path().join(name);
    std::fs::write(&file, &bytes).expect("the temporary folder takes a file");
    (file, bytes)
}

async fn run(server: &Arc<Imitation>, files: &[PathBuf]) -> Summary {
    let (url, _tasks) = Arc::clone(server).start().await;
    upload(&url, Some("key"), files).await.expect("the address is plain http")
}

#[tokio::test]
async fn a_flaky_bucket_still_gets_the_exact_bytes_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, bytes) = film(&folder, "my film é.mp4", 1_500_000);
    let server = Imitation::new(&[Turn::Cut, Turn::Busy, Turn::Store]);
    let summary = run(&server, &[file]).await;
    let record = summary.videos[0].result.as_ref().expect("it completes");
    assert_eq!(record["upload_status"], "completed");
    assert_eq!(summary.n_failed(), 0);
    let seen = server.seen();
    assert_eq!(seen.stored.as_deref(), Some(&bytes[..]));
    assert_eq!(seen.filename, "my film é.mp4");
    assert_eq!(seen.lengths, [1_500_000; 3]);
    assert_eq!(seen.completes, 1);
}

#[tokio::test]
async fn a_refused_second_put_means_stored() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, bytes) = film(&folder, "film.mp4", 300_000);
    let server = Imitation::new(&[Turn::StoreThenBusy, Turn::Store]);
    let summary = run(&server, &[file]).await;
    assert_eq!(summary.n_failed(), 0);
    let seen = server.seen();
    assert_eq!(seen.stored.as_deref(), Some(&bytes[..]));
    assert_eq!(seen.answers, [503, 412]);
}

#[tokio::test]
async fn a_dropped_feed_is_taken_up_where_it_broke() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, _) = film(&folder, "film.mp4", 1000);
    let server = Imitation::new(&[Turn::Store]);
    let summary = run(&server, &[file]).await;
    assert_eq!(summary.n_failed(), 0);
    let seen = server.seen();
    // The first connection broke after event 3, so the second one asks for what comes behind it.
    assert_eq!(seen.since, [0, 3]);
    assert_eq!(seen.keys, ["key", "key"]);
}

#[tokio::test]
async fn a_server_without_a_feed_is_polled() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, _) = film(&folder, "film.mp4", 1000);
    let server = Imitation::new(&[Turn::Store]).without_feed();
    let summary = run(&server, &[file]).await;
    assert_eq!(summary.n_failed(), 0);
    assert!(server.seen().polls >= 3);
}

#[tokio::test]
async fn a_refusal_tells_its_sentence_and_the_other_file_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (good, _) = film(&folder, "good.mp4", 1000);
    let (bad, _) = film(&folder, "notes.txt", 10);
    let missing = folder.path().join("missing.mp4");
    let server = Imitation::new(&[Turn::Store]);
    let summary = run(&server, &[bad, missing, good]).await;
    assert_eq!(summary.n_failed(), 2);
    let refused = summary.videos[0].result.as_ref().expect_err("a text is no film");
    assert!(
        matches!(refused, ClientError::Refused { status: 422, problem } if problem.code == "not_a_video")
    );
    assert_eq!(refused.to_string(), "notes.txt is no film (choose a video file)");
    assert!(matches!(summary.videos[1].result, Err(ClientError::File { .. })));
    assert!(summary.videos[2].result.is_ok());
}

#[tokio::test]
async fn a_video_that_fails_says_why() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, _) = film(&folder, "film.mp4", 1000);
    let server = Imitation::new(&[Turn::Store]).failing();
    let summary = run(&server, &[file]).await;
    let failed = summary.videos[0].result.as_ref().expect_err("it fails");
    assert!(matches!(failed, ClientError::Failed(problem) if problem.code == "unreadable"));
    assert_eq!(failed.to_string(), "no picture could be read (try another file)");
}

#[tokio::test]
async fn only_plain_http_is_spoken() {
    for url in ["https://example.org", "example.org", "ftp://example.org/"] {
        assert!(matches!(upload(url, None, &[]).await, Err(ClientError::NotHttp(_))), "{url}");
    }
}
