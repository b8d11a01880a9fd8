//! A server that answers something else than it was asked. Real ones do not, so this one is made up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reelpin_schema::bucket::{Bucket, Config};
use reelpin_schema::cid::Checksum;
use reelpin_schema::secret::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::stand::{MIB, Stand, noise, video, words};

const SIZE: usize = 6 << 20;

/// An answer to `bytes=from-to` at the n-th request: head and body as they are sent.
type Lie = fn(usize, u64, u64) -> (String, Vec<u8>);

fn head(status: &str, from: u64, to: u64, total: usize, etag: &str, length: u64) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Range: bytes {from}-{to}/{total}\r\nETag: {etag}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )
}

fn part(from: u64, to: u64) -> Vec<u8> {
    noise(SIZE as u64)[usize::try_from(from).unwrap()..=usize::try_from(to).unwrap()].to_vec()
}

fn honest(_: usize, from: u64, to: u64) -> (String, Vec<u8>) {
    (head("206 Partial Content", from, to, SIZE, "\"a\"", to - from + 1), part(from, to))
}

struct Liar {
    bucket: Bucket,
    asked: Arc<AtomicUsize>,
    _server: JoinSet<()>,
}

async fn liar(lie: Lie) -> Liar {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let mut server = JoinSet::new();
    server.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                request.push(byte);
            }
            let request = String::from_utf8(request).unwrap().to_lowercase();
            assert!(request.contains("if-match: \"a\""), "{request}");
            let range = request.lines().find_map(|line| line.strip_prefix("range: bytes="));
            let (from, to) = range.unwrap().split_once('-').unwrap();
            let number = counter.fetch_add(1, Ordering::SeqCst);
            let (head, body) = lie(number, from.parse().unwrap(), to.parse().unwrap());
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&body).await;
        }
    });
    let config = Config {
        endpoint: endpoint.clone(),
        public_endpoint: endpoint,
        addressing: reelpin_schema::bucket::Addressing::Path,
        region: "us-east-1".to_owned(),
        bucket: "reelpin".to_owned(),
        access_key: "tester".to_owned(),
        secret_key: Secret::new("tester-secret"),
        session_token: None,
    };
    Liar { bucket: Bucket::new(&config), asked, _server: server }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_one_is_believed() {
    let (stand, liar) = (Stand::open().await, liar(honest).await);
    let source = stand.source_at(&liar.bucket, &video("film", "\"a\"", SIZE as u64));
    assert_eq!(source.digest().await.unwrap(), Checksum::of(&noise(SIZE as u64)));
    assert_eq!(liar.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_answer_is_asked_for_again() {
    let (stand, liar) = (
        Stand::open().await,
        liar(|number, from, to| {
            let (head, mut body) = honest(number, from, to);
            if number < 2 {
                body.truncate(body.len() / 2);
            }
            (head, body)
        })
        .await,
    );
    let source = stand.source_at(&liar.bucket, &video("film", "\"a\"", SIZE as u64));
    assert!(source.read(0, MIB).await.unwrap() == noise(MIB));
    assert_eq!(liar.asked.load(Ordering::SeqCst), 3);
}

/// Each lie: what is said of it, whether it counts as a server in trouble, how often it is asked.
#[tokio::test(flavor = "multi_thread")]
async fn no_lie_is_believed() {
    let cases: [(Lie, &str, bool, usize); 9] = [
        (
            |_, from, to| (head("206 Partial Content", from, to, SIZE, "\"b\"", 4), vec![0; 4]),
            "film is no longer the same object: its ETag is another",
            false,
            1,
        ),
        (
            |_, from, to| (head("206 Partial Content", from, to, SIZE + 1, "\"a\"", 4), vec![0; 4]),
            "film is no longer the same object: its size is another",
            false,
            1,
        ),
        (
            |_, _, _| {
                (
                    "HTTP/1.1 412 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
                    Vec::new(),
                )
            },
            "film is no longer the same object: its ETag is another",
            false,
            1,
        ),
        (
            |_, _, _| {
                let all = noise(SIZE as u64).to_vec();
                (
                    format!(
                        "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: {SIZE}\r\nConnection: close\r\n\r\n"
                    ),
                    all,
                )
            },
            "film: the server's answer is wrong: it is no range",
            false,
            3,
        ),
        (
            |n, from, to| honest(n, from + 1, to + 1),
            "film: the server's answer is wrong: it is another range",
            false,
            3,
        ),
        (
            |n, from, to| honest(n, from, to - 1),
            "film: the server's answer is wrong: it is another range",
            false,
            3,
        ),
        (
            |_, from, to| (head("206 Partial Content", from, to, SIZE, "\"a\"", 100), vec![0; 100]),
            "film: the server's answer is wrong: it is shorter than its range",
            false,
            3,
        ),
        (
            |_, from, to| {
                let body = vec![0; SIZE];
                (head("206 Partial Content", from, to, SIZE, "\"a\"", SIZE as u64), body)
            },
            "film: the server's answer is wrong: it is longer than its range",
            false,
            3,
        ),
        (|_, from, to| (honest(0, from, to).0, vec![0; 1000]), "reading failed: ", true, 3),
    ];
    let mut lies = JoinSet::new();
    for (number, (lie, want, away, asked)) in cases.into_iter().enumerate() {
        lies.spawn(async move {
            let (stand, liar) = (Stand::open().await, liar(lie).await);
            let source = stand.source_at(&liar.bucket, &video("film", "\"a\"", SIZE as u64));
            let (said, is_away) = words(source.read(0, 10).await);
            assert!(said.starts_with(want), "{number}: {said}");
            assert_eq!(is_away, away, "{number}: {said}");
            assert_eq!(liar.asked.load(Ordering::SeqCst), asked, "{number}");
            assert_eq!((source.fetched(), stand.files()), (0, 0));
        });
    }
    while let Some(told) = lies.join_next().await {
        told.unwrap();
    }
}
