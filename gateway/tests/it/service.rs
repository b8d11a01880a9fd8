//! Health, metrics, what pages are told, and what holds for every request.

use std::fmt::Write as _;
use std::time::Duration;

use expect_test::expect;
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::scaffold::{Film, KEY, Options, Socket, Stage, until};

#[tokio::test]
async fn what_a_client_has_to_know() -> anyhow::Result<()> {
    for key in [false, true] {
        let stage = Stage::with(Options { key, ..Options::default() }).await?;
        let wanted = json!({
            "needs_key": key, "max_file_size": 5_368_709_120_u64, "ipfs_gateway": "http://127.0.0.1:8083"
        });
        assert_eq!(stage.get("/config").await?.json()?, wanted);
    }
    Ok(())
}

#[tokio::test]
async fn ready_needs_the_bucket() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    assert_eq!(stage.get("/health/live").await?.status, 200);
    assert_eq!(stage.get("/health/ready").await?.status, 200);
    std::fs::remove_dir_all(stage.bucket.folder().join("reelpin"))?;
    expect!["503 not_ready: No answer from the bucket. | Wait; the server is ready again as soon as they answer."]
        .assert_eq(&stage.get("/health/ready").await?.problem());
    assert_eq!(stage.get("/health/live").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn refusals_of_addresses_and_methods() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut table = String::new();
    for (method, path) in [
        (Method::GET, "/nowhere"),
        (Method::GET, "/video"),
        (Method::GET, "/videos/"),
        (Method::PUT, "/videos"),
        (Method::GET, "/upload/video"),
        (Method::POST, "/video/x/hls/y"),
        (Method::DELETE, "/"),
    ] {
        let said = stage.say(stage.request(method.clone(), path)).await?;
        let allow = said.header("allow");
        writeln!(table, "{method} {path}: {} [{allow}]", said.problem())?;
    }
    expect![[r#"
        GET /nowhere: 404 route_not_found: There is nothing at this address. | Check the address; /openapi.json lists them. []
        GET /video: 404 route_not_found: There is nothing at this address. | Check the address; /openapi.json lists them. []
        GET /videos/: 404 route_not_found: There is nothing at this address. | Check the address; /openapi.json lists them. []
        PUT /videos: 405 method_not_allowed: This address exists, but not for this method. | See the allow header, or /openapi.json. [GET,HEAD]
        GET /upload/video: 405 method_not_allowed: This address exists, but not for this method. | See the allow header, or /openapi.json. [POST]
        POST /video/x/hls/y: 405 method_not_allowed: This address exists, but not for this method. | See the allow header, or /openapi.json. [GET,HEAD]
        DELETE /: 405 method_not_allowed: This address exists, but not for this method. | See the allow header, or /openapi.json. [GET,HEAD]
    "#]].assert_eq(&table);
    Ok(())
}

#[tokio::test]
async fn request_ids_are_ours_or_plain() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    for (given, kept) in [
        ("0123456789abcdef", true),
        ("short", false),
        ("with space in it", false),
        ("<script>alert(1)</script>", false),
        (&"x".repeat(65), false),
    ] {
        let said = stage.get_with("/config", &[("x-request-id", given)]).await?;
        assert_eq!(said.header("x-request-id") == given, kept, "{given}");
        assert!(!said.header("x-request-id").is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn metrics_count_by_template() -> anyhow::Result<()> {
    let stage = Stage::with(Options { key: true, ..Options::default() }).await?;
    let film = Film::pending(&stage).await?;
    stage.get(&film.path("")).await?;
    stage.say(stage.request(Method::from_bytes(b"BREW")?, "/coffee")).await?;
    let query = "?video_id=00000000-0000-0000-0000-000000000000";
    let mut socket = Socket::open(&stage, query).await?;
    socket.say(&json!({ "op": "auth", "key": KEY })).await?;
    socket.brief().await?;
    let said = stage.say(stage.request(Method::GET, "/metrics").bearer_auth(KEY)).await?;
    let text = said.text();
    for line in [
        r#"reelpin_http_requests_total{method="GET",route="/video/{id}",status="200"} "#,
        r#"reelpin_http_requests_total{method="other",route="unmatched",status="404"} "#,
        r#"reelpin_http_request_duration_seconds_bucket{method="GET",route="/video/{id}",le="0.1"} "#,
        "reelpin_websockets_open ",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains(&film.id.to_string()) && !text.contains(KEY));
    Ok(())
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let head = "POST /upload/video HTTP/1.1\r\nhost: localhost:PORT\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let mut stream = stage.raw(head).await?;
    let mut answer = vec![0; 1000];
    let n = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut answer)).await??;
    let answer = String::from_utf8_lossy(&answer[..n]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("body_too_slow"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn without_a_host_it_is_refused() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    for (text, wanted) in [
        ("GET /config HTTP/1.1\r\nconnection: close\r\n\r\n", "HTTP/1.1 421"),
        (
            "GET http://evil.example/config HTTP/1.1\r\nhost: localhost:PORT\r\nconnection: close\r\n\r\n",
            "HTTP/1.1 421",
        ),
        (
            "GET http://localhost:PORT/config HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
            "HTTP/1.1 200",
        ),
        (
            "GET /config HTTP/1.1\r\nhost: localhost:PORT\r\nconnection: close\r\n\r\n",
            "HTTP/1.1 200",
        ),
    ] {
        let mut answer = String::new();
        stage.raw(text).await?.read_to_string(&mut answer).await?;
        assert!(answer.starts_with(wanted), "{text}\n{answer}");
    }
    Ok(())
}

#[tokio::test]
async fn it_ends_within_seconds_whatever_is_open() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    let mut socket = Socket::open(&stage, &format!("?video_id={}", film.id)).await?;
    socket.brief().await?;
    let _idle = stage.raw("").await?;
    let _half = stage.raw("GET /config HTTP/1.1\r\n").await?;
    let began = std::time::Instant::now();
    let (port, end) = (stage.port, stage.end());
    let (ended, closed) = tokio::join!(end, socket.closed());
    ended?;
    assert_eq!(closed?, Some(1001));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    until("a closed port", async || {
        Ok(TcpStream::connect(("127.0.0.1", port)).await.is_err().then_some(()))
    })
    .await
}
