//! Host, Origin and the key, on every route.

use std::fmt::Write as _;

use expect_test::expect;
use reqwest::Method;
use uuid::Uuid;

use crate::scaffold::{Film, KEY, Options, Stage};

#[tokio::test]
async fn hosts() -> anyhow::Result<()> {
    let stage = Stage::with(Options {
        public_url: Some("https://videos.example".to_owned()),
        media_url: Some("http://media.example:8443".to_owned()),
        ..Options::default()
    })
    .await?;
    let port = stage.port;
    let mut table = String::new();
    for host in [
        &format!("127.0.0.1:{port}"),
        &format!("localhost:{port}"),
        &format!("LOCALHOST:{port}"),
        &format!("[::1]:{port}"),
        "videos.example",
        "videos.example:443",
        "media.example:8443",
        "videos.example:80",
        "media.example",
        "localhost",
        "127.0.0.1",
        "evil.example",
        &format!("evil.example:{port}"),
        "videos.example.evil.example",
        "evil@videos.example",
        "videos.example:",
        "",
    ] {
        let said = stage.get_with("/health/live", &[("host", host)]).await?;
        writeln!(table, "{host}: {}", said.code().replace(" -", ""))?;
    }
    expect![[r#"
        127.0.0.1:PORT: 200
        localhost:PORT: 200
        LOCALHOST:PORT: 200
        [::1]:PORT: 200
        videos.example: 200
        videos.example:443: 200
        media.example:8443: 200
        videos.example:80: 421 wrong_host
        media.example: 421 wrong_host
        localhost: 421 wrong_host
        127.0.0.1: 421 wrong_host
        evil.example: 421 wrong_host
        evil.example:PORT: 421 wrong_host
        videos.example.evil.example: 421 wrong_host
        evil@videos.example: 421 wrong_host
        videos.example:: 200
        : 421 wrong_host
    "#]]
    .assert_eq(&table.replace(&port.to_string(), "PORT"));
    Ok(())
}

#[tokio::test]
async fn every_route_checks_the_host() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    for path in ["/", "/app/main.js", "/videos", "/config", "/metrics", "/openapi.json", "/nowhere"]
    {
        let said = stage.get_with(path, &[("host", "evil.example")]).await?;
        assert_eq!(said.status, 421, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn what_changes_something_refuses_other_sites() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::pending(&stage).await?;
    let mut table = String::new();
    for headers in [
        vec![],
        vec![("origin", stage.url.clone()), ("sec-fetch-site", "same-origin".to_owned())],
        vec![("origin", format!("http://localhost:{}", stage.port))],
        vec![("origin", "https://evil.example".to_owned())],
        vec![("origin", "null".to_owned())],
        vec![("origin", format!("http://127.0.0.1:{}", stage.port + 1))],
        vec![("origin", stage.url.replace("http:", "https:"))],
        vec![("sec-fetch-site", "cross-site".to_owned())],
        vec![("origin", stage.url.clone()), ("origin", "https://evil.example".to_owned())],
    ] {
        for (method, path) in [
            (Method::POST, "/upload/video".to_owned()),
            (Method::POST, format!("/upload/video/{}/complete", film.id)),
            (Method::PATCH, film.path("")),
            (Method::POST, film.path("/retry")),
        ] {
            let mut request = stage.request(method, &path);
            for (name, value) in &headers {
                request = request.header(*name, value);
            }
            write!(table, "{} ", stage.say(request).await?.code())?;
        }
        writeln!(table, "{headers:?}")?;
    }
    let table = table
        .replace(&stage.port.to_string(), "PORT")
        .replace(&(stage.port + 1).to_string(), "OTHER");
    expect![[r#"
        415 not_json 409 upload_missing 415 not_json 409 nothing_to_retry []
        415 not_json 409 upload_missing 415 not_json 409 nothing_to_retry [("origin", "http://127.0.0.1:PORT"), ("sec-fetch-site", "same-origin")]
        415 not_json 409 upload_missing 415 not_json 409 nothing_to_retry [("origin", "http://localhost:PORT")]
        403 foreign_origin 403 foreign_origin 403 foreign_origin 403 foreign_origin [("origin", "https://evil.example")]
        403 foreign_origin 403 foreign_origin 403 foreign_origin 403 foreign_origin [("origin", "null")]
        403 foreign_origin 403 foreign_origin 403 foreign_origin 403 foreign_origin [("origin", "http://127.0.0.1:OTHER")]
        403 foreign_origin 403 foreign_origin 403 foreign_origin 403 foreign_origin [("origin", "https://127.0.0.1:PORT")]
        403 foreign_origin 403 foreign_origin 403 foreign_origin 403 foreign_origin [("sec-fetch-site", "cross-site")]
        403 foreign_origin 403 foreign_origin 403 foreign_origin 403 foreign_origin [("origin", "http://127.0.0.1:PORT"), ("origin", "https://evil.example")]
    "#]].assert_eq(&table);
    Ok(())
}

#[tokio::test]
async fn the_key_guards_what_changes_or_lists() -> anyhow::Result<()> {
    let stage = Stage::with(Options { key: true, ..Options::default() }).await?;
    let id = Uuid::nil();
    let mut table = String::new();
    for (method, path) in [
        (Method::POST, "/upload/video".to_owned()),
        (Method::POST, format!("/upload/video/{id}/complete")),
        (Method::GET, "/videos".to_owned()),
        (Method::PATCH, format!("/video/{id}")),
        (Method::DELETE, format!("/video/{id}")),
        (Method::POST, format!("/video/{id}/cancel")),
        (Method::POST, format!("/video/{id}/retry")),
        (Method::GET, "/metrics".to_owned()),
        (Method::GET, format!("/video/{id}")),
        (Method::GET, format!("/video/{id}/progress")),
        (Method::GET, format!("/video/{id}/events")),
        (Method::GET, format!("/video/{id}/segments")),
        (Method::GET, format!("/video/{id}/hls/live.m3u8")),
        (Method::GET, "/config".to_owned()),
        (Method::GET, "/health/ready".to_owned()),
        (Method::GET, "/openapi.json".to_owned()),
        (Method::GET, "/".to_owned()),
    ] {
        write!(table, "{method} {path}:")?;
        for auth in [None, Some("Bearer wrong"), Some("Basic x"), Some(&format!("bearer  {KEY}"))] {
            let mut request = stage.request(method.clone(), &path);
            if let Some(auth) = auth {
                request = request.header("authorization", auth);
            }
            let said = stage.say(request).await?;
            assert_eq!(said.status == 401, said.header("www-authenticate") == "Bearer");
            write!(table, " {}", said.status)?;
        }
        table.push('\n');
    }
    expect![[r#"
        POST /upload/video: 401 401 401 415
        POST /upload/video/ID/complete: 401 401 401 404
        GET /videos: 401 401 401 200
        PATCH /video/ID: 401 401 401 415
        DELETE /video/ID: 401 401 401 404
        POST /video/ID/cancel: 401 401 401 404
        POST /video/ID/retry: 401 401 401 404
        GET /metrics: 401 401 401 200
        GET /video/ID: 404 404 404 404
        GET /video/ID/progress: 404 404 404 404
        GET /video/ID/events: 404 404 404 404
        GET /video/ID/segments: 404 404 404 404
        GET /video/ID/hls/live.m3u8: 404 404 404 404
        GET /config: 200 200 200 200
        GET /health/ready: 200 200 200 200
        GET /openapi.json: 200 200 200 200
        GET /: 200 200 200 200
    "#]]
    .assert_eq(&table.replace(&id.to_string(), "ID"));
    let said = stage.get("/videos").await?;
    expect!["401 unauthorized: This needs the server's API key, and the request has none or a wrong one. | Send it as authorization: Bearer KEY."]
        .assert_eq(&said.problem());
    assert!(!said.text().contains(KEY));
    Ok(())
}
