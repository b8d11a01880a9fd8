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
    expect![[""]].assert_eq(&table.replace(&port.to_string(), "PORT"));
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
    expect![[""]].assert_eq(&table);
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
    expect![[""]].assert_eq(&table.replace(&id.to_string(), "ID"));
    let said = stage.get("/videos").await?;
    expect!["401 unauthorized: This needs the server's API key, and the request has none or a wrong one. | Send it as authorization: Bearer KEY."]
        .assert_eq(&said.problem());
    assert!(!said.text().contains(KEY));
    Ok(())
}
