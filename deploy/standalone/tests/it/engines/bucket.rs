//! The bucket, driven by the S3 client that the services use, and by plain requests.
use std::time::Duration;

use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use futures_util::StreamExt as _;
use reelpin_standalone::engines::{Engines, S3Endpoint};
use reqwest::{Method, StatusCode};

use super::{data, start_bucket};

fn client(s3: &S3Endpoint) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&s3.endpoint)
        .region(Region::new(s3.region.clone()))
        .credentials_provider(Credentials::new(
            &s3.access_key,
            s3.secret_key.expose(),
            None,
            None,
            "test",
        ))
        .force_path_style(true)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

fn s3(engines: &Engines) -> S3Endpoint {
    engines.endpoints().s3.clone().unwrap()
}

async fn ticket(s3: &S3Endpoint, key: &str, size: i64, once: bool) -> PresignedRequest {
    let put = client(s3).put_object().bucket(&s3.bucket).key(key).content_length(size);
    let put = if once { put.if_none_match("*") } else { put };
    let lasting = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    put.presigned(lasting).await.unwrap()
}

/// Sends the ticket's own headers but those that an HTTP client sets itself.
async fn upload(ticket: &PresignedRequest, body: &[u8]) -> reqwest::Response {
    let mut request = reqwest::Client::new().put(ticket.uri()).body(body.to_vec());
    for (name, value) in ticket.headers().filter(|(name, _)| *name != "content-length") {
        request = request.header(name, value);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_ticket_admits_its_size_once() {
    let data = data();
    let engines = start_bucket(data.path()).await;
    let s3 = s3(&engines);
    let ticket = ticket(&s3, "orig/v/1", 10, true).await;
    assert!(ticket.uri().contains("if-none-match"), "{}", ticket.uri());
    assert_eq!(upload(&ticket, b"123456789").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(upload(&ticket, b"12345678901").await.status(), StatusCode::FORBIDDEN);
    let stored = upload(&ticket, b"1234567890").await;
    assert_eq!(stored.status(), StatusCode::OK);
    assert!(stored.headers().contains_key("etag"));
    assert_eq!(upload(&ticket, b"0987654321").await.status(), StatusCode::PRECONDITION_FAILED);
    // Without the header that was signed, the signature does not hold.
    let bare = reqwest::Client::new().put(ticket.uri()).body("0987654321").send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::FORBIDDEN);
    let object = client(&s3).get_object().bucket(&s3.bucket).key("orig/v/1").send().await.unwrap();
    assert_eq!(object.body.collect().await.unwrap().into_bytes(), &b"1234567890"[..]);
    engines.stop().await;
}

#[tokio::test]
async fn objects_outlive_a_stop_and_drafts_do_not() {
    let data = data();
    let engines = start_bucket(data.path()).await;
    let at = s3(&engines);
    let body = ByteStream::from_static(b"hello");
    client(&at).put_object().bucket(&at.bucket).key("media/v/a").body(body).send().await.unwrap();
    engines.stop().await;
    let draft = data.path().join("s3/.tmp.7.internal.part");
    std::fs::write(&draft, "cut off").unwrap();

    let engines = start_bucket(data.path()).await;
    assert!(!draft.exists());
    let at = s3(&engines);
    let range = client(&at).get_object().bucket(&at.bucket).key("media/v/a").range("bytes=1-3");
    let part = range.send().await.unwrap();
    assert_eq!(part.body.collect().await.unwrap().into_bytes(), &b"ell"[..]);
    engines.stop().await;
}

#[tokio::test]
async fn pages_of_allowed_origins_may_upload() {
    let data = data();
    let engines = start_bucket(data.path()).await;
    let ticket = ticket(&s3(&engines), "orig/v/2", 3, true).await;
    let ask = async |origin: &str| {
        reqwest::Client::new()
            .request(Method::OPTIONS, ticket.uri())
            .header("origin", origin)
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "content-type,if-none-match")
            .send()
            .await
            .unwrap()
    };
    let allowed = ask("http://127.0.0.1:8080").await;
    let header = |name: &str| allowed.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("access-control-allow-origin"), "http://127.0.0.1:8080");
    assert!(header("access-control-allow-headers").contains("if-none-match"));
    let foreign = ask("http://evil.example").await;
    assert!(!foreign.headers().contains_key("access-control-allow-origin"));
    engines.stop().await;
}

#[tokio::test]
async fn nothing_but_the_bucket_is_reached() {
    let data = data();
    let engines = start_bucket(data.path()).await;
    let at = s3(&engines);
    let http = reqwest::Client::new();
    let unsigned = http.get(format!("{}/reelpin/x", at.endpoint)).send().await.unwrap();
    assert_eq!(unsigned.status(), StatusCode::FORBIDDEN);
    let other_host = http.get(&at.endpoint).header("host", "evil.example").send().await.unwrap();
    assert_eq!(other_host.status(), StatusCode::MISDIRECTED_REQUEST);
    for key in ["../../../../x", "../secrets/bucket", "a/../../b"] {
        let body = ByteStream::from_static(b"x");
        let put = client(&at).put_object().bucket(&at.bucket).key(key).body(body).send().await;
        assert!(put.is_err(), "{key}");
    }
    assert!(!data.path().join("s3/x").exists() && !data.path().join("s3/b").exists());
    let names = std::fs::read_to_string(data.path().join("secrets/bucket")).unwrap();
    assert_eq!(names, at.secret_key.expose());
    engines.stop().await;
}

#[tokio::test]
async fn of_two_puts_at_once_one_is_taken_and_stays() {
    let data = data();
    let engines = start_bucket(data.path()).await;
    let s3 = s3(&engines);
    let ticket = ticket(&s3, "orig/v/2", 10, true).await;
    let (rest, later) = tokio::sync::oneshot::channel::<()>();
    let pieces = futures_util::stream::once(async { Ok::<_, std::io::Error>("12345") }).chain(
        futures_util::stream::once(async move {
            later.await.map_err(std::io::Error::other)?;
            Ok("67890")
        }),
    );
    let mut slow = reqwest::Client::new()
        .put(ticket.uri())
        .header("content-length", "10")
        .body(reqwest::Body::wrap_stream(pieces));
    for (name, value) in ticket.headers().filter(|(name, _)| *name != "content-length") {
        slow = slow.header(name, value);
    }
    let answered = slow.send();
    let mut answered = std::pin::pin!(answered);
    let waited = tokio::time::timeout(Duration::from_millis(300), answered.as_mut()).await;
    assert!(waited.is_err(), "a PUT of half a body was answered");
    // The other one ends first, and so it is the one.
    assert_eq!(upload(&ticket, b"0987654321").await.status(), StatusCode::OK);
    rest.send(()).unwrap();
    assert_eq!(answered.await.unwrap().status(), StatusCode::PRECONDITION_FAILED);
    let object = client(&s3).get_object().bucket(&s3.bucket).key("orig/v/2").send().await.unwrap();
    assert_eq!(object.body.collect().await.unwrap().into_bytes(), &b"0987654321"[..]);
    engines.stop().await;
}

#[tokio::test]
async fn a_refusal_reaches_whoever_has_sent_all_or_is_still_sending() {
    let data = data();
    let engines = start_bucket(data.path()).await;
    let s3 = s3(&engines);
    let url = format!("{}/{}", s3.endpoint, s3.bucket);
    let form = reqwest::Client::new().post(&url).header("content-type", "multipart/form-data");
    assert!(form.body("a=b").send().await.unwrap().status().is_client_error());
    let large = vec![7; 8 << 20];
    let ticket = ticket(&s3, "orig/v/3", 8 << 20, true).await;
    assert_eq!(upload(&ticket, &large).await.status(), StatusCode::OK);
    assert_eq!(upload(&ticket, &large).await.status(), StatusCode::PRECONDITION_FAILED);
}
