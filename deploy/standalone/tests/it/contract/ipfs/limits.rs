//! A node that does not answer, and one that does not know us.
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use reelpin_schema::cid::{Block, Cid, Codec};
use reelpin_schema::ipfs::{IpfsError, Limits, Node, PinName};
use tokio::net::TcpListener;

use super::stand::Stand;

#[tokio::test]
async fn a_node_that_never_answers_is_given_up() {
    const LIMIT: Duration = Duration::from_millis(300);
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let limits = Limits { answer: LIMIT, transfer: LIMIT, pin: LIMIT };
    let node = Node::new(&url, None, limits).unwrap();
    let block = Block::new(Codec::Raw, bytes::Bytes::from(vec![1; 1 << 20]));
    let cid: Cid = block.cid();
    let calls = async {
        let began = Instant::now();
        let errors = [
            node.version().await.err(),
            node.has_block(cid).await.err(),
            node.put_block(&block).await.err(),
            node.pin(cid, PinName::Published).await.err(),
            node.is_pinned(cid).await.err(),
            node.unpin(cid).await.err(),
            node.collect_garbage().await.err(),
            node.cat(cid, 0, None).try_collect::<Vec<_>>().await.err(),
        ];
        for error in errors {
            assert!(matches!(error, Some(IpfsError::TimedOut { limit: LIMIT, .. })), "{error:?}");
        }
        assert!(began.elapsed() < LIMIT * 16, "{:?}", began.elapsed());
    };
    // It accepts, and that is all.
    let accept = async {
        let mut held = Vec::new();
        loop {
            held.push(silent.accept().await);
        }
    };
    tokio::select! {
        () = calls => {}
        () = accept => {}
    }
}

#[tokio::test]
async fn the_local_node_wants_its_credential() {
    let stand = Stand::local().await;
    let (user, secret) = stand.credentials.clone().unwrap();
    for wrong in [None, Some((user.as_str(), "guess")), Some(("other", secret.as_str()))] {
        let node = Node::new(&stand.rpc, wrong, Limits::default()).unwrap();
        let refused = node.version().await;
        assert!(matches!(refused, Err(IpfsError::Forbidden { status: 401 })), "{refused:?}");
        let refused = node.is_pinned(Cid::of(Codec::Raw, b"a")).await;
        assert!(matches!(refused, Err(IpfsError::Forbidden { status: 401 })), "{refused:?}");
    }
    assert!(stand.node.version().await.unwrap().starts_with("reelpin"));
}
