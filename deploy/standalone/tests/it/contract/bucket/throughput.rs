//! How fast it is: prints figures when asked to (`--ignored --nocapture throughput`).
use std::time::{Duration, Instant};

use aws_sdk_s3::presigning::PresigningConfig;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use super::subject::{Subject, local, named, send};

const SIZE: usize = 500_000_000;
const MINUTES: Duration = Duration::from_secs(600);

async fn measured(name: &str, subject: Subject) {
    let whole: Bytes = (0..SIZE).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let rate = |from: Instant| SIZE as f64 / 1e6 / from.elapsed().as_secs_f64();
    let http = reqwest::Client::new();
    for _ in 0..3 {
        let ticket = subject.ticket("large", SIZE as i64, false, MINUTES).await;
        let from = Instant::now();
        let put = http.put(ticket.uri()).body(whole.clone()).send().await.unwrap();
        assert_eq!(put.status().as_u16(), 200);
        println!("{name}: PUT of 500 MB: {:.0} MB/s", rate(from));
    }
    let get = subject.client.get_object().bucket(&subject.bucket).key(subject.key("large"));
    let get = get.presigned(PresigningConfig::expires_in(MINUTES).unwrap()).await.unwrap();
    for _ in 0..3 {
        let from = Instant::now();
        let mut body = http.get(get.uri()).send().await.unwrap().bytes_stream();
        let mut size = 0;
        while let Some(bytes) = body.next().await {
            size += bytes.unwrap().len();
        }
        assert_eq!(size, SIZE);
        println!("{name}: GET of 500 MB: {:.0} MB/s", rate(from));
    }
    for (count, size, at_once) in [(200, 1 << 20, 4), (200, 1000, 1), (200, 1000, 8)] {
        let body = whole.slice(..size);
        let from = Instant::now();
        let names = stream::iter(0..count).map(async |n| {
            let ticket = subject.ticket(&format!("small/{n}"), size as i64, false, MINUTES).await;
            assert_eq!(send(&ticket, ticket.uri(), &body).await, 200);
        });
        names.buffer_unordered(at_once).collect::<Vec<_>>().await;
        let took = from.elapsed().as_secs_f64();
        println!("{name}: {count} PUTs of {size} bytes, {at_once} at once: {took:.2} s");
    }
    subject.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints figures"]
async fn throughput() {
    measured("local", local().await).await;
    if let Some(subject) = named().await {
        measured("named", subject).await;
    }
}
