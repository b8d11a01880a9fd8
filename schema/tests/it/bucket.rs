//! The bucket's client: addresses, and a connection that breaks in the middle of an upload.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use reelpin_schema::bucket::{Addressing, Bucket, Config, Flow};
use reelpin_schema::secret::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

fn config() -> Config {
    Config {
        endpoint: "http://inside:9000".to_owned(),
        public_endpoint: "https://s3.example".to_owned(),
        addressing: Addressing::Path,
        region: "eu-central-1".to_owned(),
        bucket: "films".to_owned(),
        access_key: "access".to_owned(),
        secret_key: Secret::new("hush"),
        session_token: None,
    }
}

#[tokio::test]
async fn upload_addresses_are_signed_for_the_host_that_browsers_use() -> anyhow::Result<()> {
    for (addressing, endpoint, begins) in [
        (Addressing::Path, "https://s3.example", "https://s3.example/films/orig/a?"),
        (Addressing::VirtualHost, "https://s3.example", "https://films.s3.example/orig/a?"),
        (Addressing::VirtualHost, "http://s3.example:81", "http://films.s3.example:81/orig/a?"),
    ] {
        let config = Config { addressing, public_endpoint: endpoint.to_owned(), ..config() };
        let bucket = Bucket::new(&config);
        let put = bucket.presign_put("orig/a", 7, Duration::from_secs(60), true).await?;
        assert!(put.url.starts_with(begins), "{} {begins}", put.url);
        assert!(put.url.starts_with(&config.upload_endpoint()), "{} {config:?}", put.url);
        assert!(put.url.contains("%2Feu-central-1%2Fs3%2Faws4_request"), "{}", put.url);
        assert!(!put.url.contains("hush") && !format!("{config:?}").contains("hush"));
    }
    Ok(())
}

#[tokio::test]
async fn temporary_keys_bring_their_token() -> anyhow::Result<()> {
    let config = Config { session_token: Some(Secret::new("a-token")), ..config() };
    let put = Bucket::new(&config).presign_put("a", 7, Duration::from_secs(60), true).await?;
    assert!(put.url.contains("X-Amz-Security-Token=a-token"), "{}", put.url);
    assert!(!format!("{config:?}").contains("a-token"));
    Ok(())
}

const PIECE: usize = 64 << 10;
const PIECES: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_while_it_is_sent_is_made_again_when_the_connection_breaks()
-> anyhow::Result<()> {
    let real = reelpin_testing::bucket().await?;
    let link = Link::cutting_first(&real.config.endpoint, PIECE * PIECES / 2).await?;
    let through = Config { endpoint: link.endpoint.clone(), ..real.config.clone() };
    let begun = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&begun);
    let flow = Flow::new((PIECE * PIECES) as u64, move || {
        let counter = Arc::clone(&counter);
        stream::iter(0..PIECES)
            .map(move |n| {
                counter.fetch_add(usize::from(n == 0), Ordering::SeqCst);
                Ok(Bytes::from(vec![u8::try_from(n).unwrap_or_default(); PIECE]))
            })
            .boxed()
    });
    Bucket::new(&through).put_flow("media/a", flow, "video/mp4").await?;
    assert_eq!(begun.load(Ordering::SeqCst), 2);
    assert_eq!(link.accepted.load(Ordering::SeqCst), 2);
    let stored = real.client.get_bytes("media/a", u64::MAX).await?;
    let expected: Vec<u8> =
        (0..PIECES).flat_map(|n| vec![u8::try_from(n).unwrap_or_default(); PIECE]).collect();
    assert!(stored == expected, "{} bytes", stored.len());
    Ok(())
}

/// A way to a server whose first connection breaks after so many bytes of the client's.
struct Link {
    endpoint: String,
    accepted: Arc<AtomicUsize>,
    _open: JoinSet<()>,
}

impl Link {
    async fn cutting_first(to: &str, bytes: usize) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let accepted = Arc::new(AtomicUsize::new(0));
        let (counter, to) = (Arc::clone(&accepted), to.trim_start_matches("http://").to_owned());
        let mut open = JoinSet::new();
        open.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
                let Ok(server) = TcpStream::connect(&to).await else { continue };
                let most = if first { bytes as u64 } else { u64::MAX };
                connections.spawn(carry(client, server, most));
            }
        });
        Ok(Self { endpoint, accepted, _open: open })
    }
}

/// Both ways, until the client has sent `most` bytes or one side ends.
async fn carry(client: TcpStream, server: TcpStream, most: u64) {
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut limited = from_client.take(most);
    tokio::select! {
        _ = copy(&mut limited, &mut to_server) => {}
        _ = copy(&mut from_server, &mut to_client) => {}
    }
    let _ = to_server.shutdown().await;
}
