//! How fast the local node takes content, beside a plain write of the same bytes.
use std::io::Write as _;
use std::time::Instant;

use futures_util::StreamExt as _;
use reelpin_schema::ipfs::PinName;

use super::stand::Stand;
use super::{MIB, content};

#[tokio::test]
#[ignore = "a measurement: run it alone"]
async fn content_is_put_as_fast_as_it_is_written() {
    const SIZE: u64 = 500 * MIB;
    let stand = Stand::local().await;
    let folder = tempfile::tempdir().unwrap();
    let pieces: Vec<_> = content(SIZE, 1).map(Result::unwrap).collect().await;

    let began = Instant::now();
    let mut plain = std::fs::File::create(folder.path().join("plain")).unwrap();
    for piece in &pieces {
        plain.write_all(piece).unwrap();
    }
    plain.sync_all().unwrap();
    println!("{SIZE} bytes written and synced: {:?}", began.elapsed());

    let began = Instant::now();
    let mut named = reelpin_schema::cid::FileDag::new();
    pieces.iter().for_each(|piece| named.push(piece));
    let expected = named.finish();
    println!("the same named: {:?}", began.elapsed());

    let began = Instant::now();
    let pieces = futures_util::stream::iter(pieces).map(Ok::<_, std::io::Error>);
    let file = stand.node.put_file(pieces, Some(expected.cid)).await.unwrap();
    println!("the same put: {:?}", began.elapsed());
    stand.node.pin(file.cid, PinName::Original).await.unwrap();
    println!("and pinned, all in all: {:?}", began.elapsed());

    let began = Instant::now();
    for n in 0..250 {
        stand.node.put_file(content(1000, 1000 + n), None).await.unwrap();
    }
    println!("250 files of 1 kB put: {:?}", began.elapsed());
}
