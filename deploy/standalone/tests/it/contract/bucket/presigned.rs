//! Presigned PUTs, as browsers send them.
use std::time::Duration;

use super::contract;
use super::subject::{PAGE, Subject, send};

const MINUTE: Duration = Duration::from_secs(60);

async fn admits_exactly_its_size(subject: &Subject) {
    let ticket = subject.ticket("a", 10, false, MINUTE).await;
    for wrong in [&b"123456789"[..], b"12345678901", b""] {
        assert!((400..500).contains(&send(&ticket, ticket.uri(), wrong).await), "{wrong:?}");
        assert_eq!(subject.get("a").await, None, "{wrong:?}");
    }
    assert_eq!(send(&ticket, ticket.uri(), b"1234567890").await, 200);
    assert_eq!(subject.get("a").await.unwrap(), b"1234567890");
}

async fn ends_with_its_time(subject: &Subject) {
    let ticket = subject.ticket("a", 3, false, Duration::from_secs(1)).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(send(&ticket, ticket.uri(), b"abc").await, 403);
    let raised = ticket.uri().replace("X-Amz-Expires=1&", "X-Amz-Expires=900&");
    assert_ne!(raised, ticket.uri());
    assert_eq!(send(&ticket, &raised, b"abc").await, 403);
    assert_eq!(subject.get("a").await, None);
}

async fn is_for_its_key_and_method(subject: &Subject) {
    let ticket = subject.ticket("name", 3, false, MINUTE).await;
    let other = ticket.uri().replace("/name?", "/other?");
    assert_ne!(other, ticket.uri());
    assert_eq!(send(&ticket, &other, b"abc").await, 403);
    assert_eq!(reqwest::get(ticket.uri()).await.unwrap().status().as_u16(), 403);
    let unsigned = ticket.uri().split_once('?').unwrap().0;
    assert_eq!(reqwest::get(unsigned).await.unwrap().status().as_u16(), 403);
    assert_eq!(send(&ticket, unsigned, b"abc").await, 403);
    assert_eq!(subject.get("other").await, None);
    assert_eq!(subject.get("name").await, None);
}

async fn is_taken_once(subject: &Subject) {
    let ticket = subject.ticket("a", 3, true, MINUTE).await;
    assert_eq!(send(&ticket, ticket.uri(), b"abc").await, 200);
    assert_eq!(send(&ticket, ticket.uri(), b"xyz").await, 412);
    assert_eq!(subject.get("a").await.unwrap(), b"abc");
    // Without the header that was signed, the signature does not hold.
    let bare = reqwest::Client::new().put(ticket.uri()).body("xyz").send().await.unwrap();
    assert_eq!(bare.status().as_u16(), 403);
}

async fn of_many_at_once_one_is_taken(subject: &Subject) {
    // Others look first and put in place afterwards: two may then be taken, and the later one stays.
    if !subject.local {
        return;
    }
    let ticket = subject.ticket("a", 100_000, true, MINUTE).await;
    let bodies: Vec<Vec<u8>> = (0..8_u8).map(|n| vec![n; 100_000]).collect();
    let sent = bodies.iter().map(|body| send(&ticket, ticket.uri(), body));
    let answers = futures_util::future::join_all(sent).await;
    let taken: Vec<_> = (0..8).filter(|n| answers[*n] == 200).collect();
    assert_eq!(taken.len(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| **answer == 412).count(), 7, "{answers:?}");
    assert_eq!(subject.get("a").await.unwrap(), bodies[taken[0]]);
}

async fn pages_of_allowed_origins_may_send(subject: &Subject) {
    use aws_sdk_s3::types::{CorsConfiguration, CorsRule};
    let rule = CorsRule::builder()
        .allowed_origins("http://pages.example")
        .allowed_origins(PAGE)
        .allowed_methods("PUT")
        .allowed_headers("*")
        .expose_headers("ETag")
        .build()
        .unwrap();
    let rules = CorsConfiguration::builder().cors_rules(rule).build().unwrap();
    let put = subject.client.put_bucket_cors().bucket(&subject.bucket).cors_configuration(rules);
    put.send().await.unwrap();
    let got = subject.client.get_bucket_cors().bucket(&subject.bucket).send().await.unwrap();
    assert_eq!(got.cors_rules()[0].allowed_origins(), ["http://pages.example", PAGE]);

    let ticket = subject.ticket("a", 3, true, MINUTE).await;
    let ask = async |origin: &str| {
        let headers = "content-type,if-none-match";
        let asked = reqwest::Client::new()
            .request(reqwest::Method::OPTIONS, ticket.uri())
            .header("origin", origin)
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", headers);
        let answer = asked.send().await.unwrap();
        let header =
            |name: &str| Some(answer.headers().get(name)?.to_str().unwrap().to_lowercase());
        (header("access-control-allow-origin"), header("access-control-allow-headers"))
    };
    for page in [PAGE, "http://pages.example"] {
        let (origin, headers) = ask(page).await;
        assert_eq!(origin.as_deref(), Some(page));
        let headers = headers.unwrap();
        assert!(headers == "*" || headers.contains("if-none-match"), "{headers}");
    }
    let (origin, _) = ask("http://evil.example").await;
    assert_eq!(origin, None);
    let page = reqwest::Client::new().put(ticket.uri()).header("origin", PAGE);
    let stored = page.header("if-none-match", "*").body("abc").send().await.unwrap();
    assert_eq!(stored.status().as_u16(), 200);
    let exposed = stored.headers()["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.to_lowercase().contains("etag"), "{exposed}");
}

contract!(
    admits_exactly_its_size,
    ends_with_its_time,
    is_for_its_key_and_method,
    is_taken_once,
    of_many_at_once_one_is_taken,
    pages_of_allowed_origins_may_send,
);
