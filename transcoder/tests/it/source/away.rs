//! A line to the bucket that breaks, and one that hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reelpin_schema::bucket::Bucket;
use reelpin_schema::cid::Checksum;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::stand::{MIB, Stand, noise, words};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Up,
    /// Connections end at once, also those that are open.
    Broken,
    /// Nothing is ever answered.
    Mute,
    /// It breaks when so many bytes have come over it, all connections together.
    Metered(u64),
}

/// A way to a bucket that can be broken.
pub(super) struct Way {
    pub(super) bucket: Bucket,
    line: watch::Sender<Line>,
    left: Arc<AtomicU64>,
    _server: JoinSet<()>,
}

impl Way {
    pub(super) fn set(&self, line: Line) {
        if let Line::Metered(bytes) = line {
            self.left.store(bytes, Ordering::SeqCst);
        }
        self.line.send_replace(line);
    }
}

pub(super) async fn way(stand: &Stand) -> Way {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = stand.bucket.config.clone();
    let there = config.endpoint.strip_prefix("http://").unwrap().to_owned();
    config.endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (line, seen) = watch::channel(Line::Up);
    let left = Arc::new(AtomicU64::new(0));
    let meter = Arc::clone(&left);
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut open = JoinSet::new();
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let (there, mut seen, meter) = (there.clone(), seen.clone(), Arc::clone(&meter));
            open.spawn(async move {
                let now = *seen.borrow_and_update();
                let carried = async {
                    if now == Line::Up {
                        let mut far = TcpStream::connect(there).await.unwrap();
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    } else if let Line::Metered(_) = now {
                        metered(near, TcpStream::connect(there).await.unwrap(), &meter).await;
                    } else if now == Line::Mute {
                        std::future::pending::<()>().await;
                    }
                };
                tokio::select! {
                    () = carried => {}
                    _ = seen.changed() => {}
                }
            });
        }
    });
    Way { bucket: Bucket::new(&config), line, left, _server: server }
}

async fn metered(mut near: TcpStream, mut far: TcpStream, left: &AtomicU64) {
    let ((mut asks, mut hears), (mut tells, mut asked)) = (near.split(), far.split());
    let back = async {
        let mut piece = vec![0; 16 << 10];
        while let Ok(length @ 1..) = tells.read(&mut piece).await {
            let take = |left: u64| left.checked_sub(length as u64);
            if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_err()
                || hears.write_all(&piece[..length]).await.is_err()
            {
                break;
            }
        }
    };
    tokio::select! {
        _ = copy(&mut asks, &mut asked) => {}
        () = back => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_line_is_the_buckets_fault_and_mends() {
    let stand = Stand::open().await;
    let bytes = noise(9 * MIB);
    let video = stand.original(bytes.clone()).await;
    let way = way(&stand).await;
    let source = stand.source_at(&way.bucket, &video);
    source.read(0, 1).await.unwrap();
    way.set(Line::Broken);
    let (said, away) = words(source.read(5 * MIB, 1).await);
    assert!(away, "{said}");
    assert!(source.read(0, 1).await.is_ok(), "what is here is here");
    way.set(Line::Up);
    assert_eq!(source.digest().await.unwrap(), Checksum::of(&bytes));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_break_is_not_noticed() {
    let stand = Stand::open().await;
    let bytes = noise(9 * MIB);
    let video = stand.original(bytes.clone()).await;
    let way = Arc::new(way(&stand).await);
    way.set(Line::Broken);
    let source = stand.source_at(&way.bucket, &video);
    let mends = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        way.set(Line::Up);
    };
    let (digest, ()) = tokio::join!(source.digest(), mends);
    assert_eq!(digest.unwrap(), Checksum::of(&bytes));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_ends_while_nothing_comes() {
    let stand = Stand::open().await;
    let video = stand.original(noise(9 * MIB)).await;
    let way = way(&stand).await;
    way.set(Line::Mute);
    let source = stand.source_at(&way.bucket, &video);
    let lent = source.lend().await.unwrap();
    let reader = source.read(0, 1);
    assert!(timeout(Duration::from_millis(300), reader).await.is_err());
    timeout(Duration::from_secs(5), stand.sources.close()).await.expect("it does not end");
    assert_eq!(words(source.read(0, 1).await).0, "it is no longer read");
    assert!(TcpStream::connect(("127.0.0.1", lent.port())).await.is_err());
    drop((lent, source));
    stand.sources.forget(video.id);
    assert_eq!(stand.files(), 0);
}
