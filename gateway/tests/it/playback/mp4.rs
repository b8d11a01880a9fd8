//! `GET /video/{id}/mp4/{rung}` and `/poster`.

use std::fmt::Write as _;

use expect_test::expect;
use serde_json::json;

use crate::scaffold::{Film, Stage};

#[tokio::test]
async fn plays_and_downloads_under_the_title() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    let names = ["content-type", "cache-control", "etag", "accept-ranges", "content-disposition"];
    let mut text = stage.get(&film.path("/mp4/480p")).await?.head(&names);
    for title in ["Zoë's \"film\" 100%", "..", "a/b\\c", "映画"] {
        stage.patch(&film.path(""), &json!({ "title": title })).await?;
        let said = stage.get(&film.path("/mp4/480p?download=1")).await?;
        writeln!(text, "{}", said.header("content-disposition"))?;
    }
    expect![[r#"
        200
        content-type: video/mp4
        cache-control: public, no-cache
        etag: "bafymp4"
        accept-ranges: bytes
        content-disposition: inline; filename="A film-480p.mp4"; filename*=UTF-8''A%20film-480p.mp4
        attachment; filename="Zo_'s _film_ 100_-480p.mp4"; filename*=UTF-8''Zo%C3%AB%27s%20_film_%20100_-480p.mp4
        attachment; filename="video-480p.mp4"; filename*=UTF-8''video-480p.mp4
        attachment; filename="a_b_c-480p.mp4"; filename*=UTF-8''a_b_c-480p.mp4
        attachment; filename="__-480p.mp4"; filename*=UTF-8''%E6%98%A0%E7%94%BB-480p.mp4
    "#]]
    .assert_eq(&text);
    // Bounded by what a file system takes, in whole characters.
    stage.patch(&film.path(""), &json!({ "title": "ü".repeat(150) })).await?;
    let said = stage.get(&film.path("/mp4/480p?download=1")).await?;
    assert_eq!(said.header("content-disposition").matches("%C3%BC").count(), 100);
    Ok(())
}

#[tokio::test]
async fn ranges_and_conditions() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    let path = film.path("/mp4/480p");
    let said = stage.get_with(&path, &[("range", "bytes=5-9")]).await?;
    assert_eq!((said.status, said.text().as_str()), (206, "56789"));
    let said = stage.get_with(&path, &[("if-none-match", "\"bafymp4\"")]).await?;
    assert_eq!((said.status, said.body.len()), (304, 0));
    let said = stage.get_with(&path, &[("range", "bytes=200000-")]).await?;
    assert_eq!(
        (said.code().as_str(), said.header("content-range")),
        ("416 bad_range", "bytes */200000")
    );
    Ok(())
}

#[tokio::test]
async fn what_is_not_stored_is_404() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::playable(&stage).await?;
    for path in ["/mp4/480p", "/mp4/720p", "/mp4/audio", "/mp4/..%2f..%2forig", "/poster"] {
        assert_eq!(stage.get(&film.path(path)).await?.code(), "404 file_not_found", "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn the_poster() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    let said = stage.get(&film.path("/poster")).await?;
    assert_eq!(said.text(), "a picture");
    expect![[r#"
        200
        content-type: image/jpeg
        cache-control: public, no-cache
        etag: "bafyposter"
    "#]]
    .assert_eq(&said.head(&["content-type", "cache-control", "etag"]));
    Ok(())
}
