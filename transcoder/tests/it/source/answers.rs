//! What the worker's own server answers, and to whom.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::stand::{MIB, Stand, noise};

pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

pub(super) async fn ask(port: u16, request: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    let end = all.windows(4).position(|w| w == b"\r\n\r\n").expect("no head");
    let body = all.split_off(end + 4);
    let head = String::from_utf8(all).unwrap();
    Answer { status: head[9..12].parse().unwrap(), head, body }
}

pub(super) fn request(method: &str, url: &str, headers: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_of_what_is_lent_and_nothing_else() {
    let stand = Stand::open().await;
    let bytes = noise(5 * MIB);
    let size = bytes.len();
    let lent = stand.source(&stand.original(bytes.clone()).await).lend().await.unwrap();
    let (url, port) = (lent.url(), lent.port());

    for (range, from, end) in [
        ("bytes=0-", 0, size),
        ("bytes=4194300-4194310", 4_194_300, 4_194_311),
        ("bytes=-5", size - 5, size),
        ("bytes=5242879-99999999", size - 1, size),
    ] {
        let answer = ask(port, &request("GET", &url, &format!("Range: {range}\r\n"))).await;
        assert_eq!(answer.status, 206, "{range}");
        let told = format!("bytes {from}-{}/{size}", end - 1);
        assert_eq!(answer.header("content-range"), Some(told.as_str()));
        assert!(answer.body == bytes[from..end], "{range}");
    }
    let whole = ask(port, &request("GET", &url, "")).await;
    assert_eq!((whole.status, whole.header("accept-ranges")), (200, Some("bytes")));
    assert!(whole.body == bytes);
    let head = ask(port, &request("HEAD", &url, "")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some("5242880"));

    for range in ["bytes=5242880-", "bytes=0-1,3-4", "bytes=x-", "lines=1-2"] {
        let answer = ask(port, &request("GET", &url, &format!("Range: {range}\r\n"))).await;
        assert_eq!((answer.status, answer.body.len()), (416, 0), "{range}");
        assert_eq!(answer.header("content-range"), Some("bytes */5242880"));
    }
    assert_eq!(ask(port, &request("POST", &url, "Content-Length: 0\r\n")).await.status, 405);
    let other = format!("http://127.0.0.1:{port}/{}/original", "0".repeat(32));
    for wrong in [&other, &url.replace("/original", "/other"), &url.replace("/original", "")] {
        assert_eq!(ask(port, &request("GET", wrong, "")).await.status, 404, "{wrong}");
    }
    let foreign = request("GET", &url, "").replace("Host: 127.0.0.1", "Host: example.org");
    assert_eq!(ask(port, &foreign).await.status, 421);
    assert!(lent.failure().is_none());
    drop(lent);
    assert_eq!(ask(port, &request("GET", &url, "")).await.status, 404, "it is given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_loan_has_an_address_of_its_own_that_ends_with_it() {
    let stand = Stand::open().await;
    let bytes = noise(30 * MIB);
    let source = stand.source(&stand.original(bytes.clone()).await);
    let (one, two) = (source.lend().await.unwrap(), source.lend().await.unwrap());
    assert_ne!(one.url(), two.url());
    assert_eq!(one.port(), two.port());
    let mut reading = Vec::new();
    for lent in [&one, &two] {
        let mut stream = TcpStream::connect(("127.0.0.1", lent.port())).await.unwrap();
        stream.write_all(request("GET", &lent.url(), "").as_bytes()).await.unwrap();
        stream.read_exact(&mut [0; 100]).await.unwrap();
        reading.push(stream);
    }
    drop(one);
    let (mut ended, mut whole) = (Vec::new(), Vec::new());
    let _ = reading[0].read_to_end(&mut ended).await;
    assert!(ended.len() < bytes.len() / 2, "{} bytes came after the end", ended.len());
    reading[1].read_to_end(&mut whole).await.unwrap();
    assert!(whole.ends_with(&bytes[bytes.len() - 1000..]));
    assert!(two.failure().is_none());
}
