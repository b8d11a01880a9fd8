//! Who may open a feed.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::scaffold::{Film, KEY, Options, Socket, Stage};

async fn locked() -> anyhow::Result<Stage> {
    Stage::with(Options { key: true, ..Options::default() }).await
}

#[tokio::test]
async fn the_first_message_is_the_key() -> anyhow::Result<()> {
    let stage = locked().await?;
    let film = Film::pending(&stage).await?;
    let mut socket = Socket::open(&stage, &format!("?video_id={}", film.id)).await?;
    socket.say(&json!({ "op": "auth", "key": KEY })).await?;
    assert_eq!(socket.brief().await?, "snapshot 0 pending");
    Ok(())
}

#[tokio::test]
async fn or_the_header_has_it() -> anyhow::Result<()> {
    let stage = locked().await?;
    let film = Film::pending(&stage).await?;
    let query = format!("?video_id={}", film.id);
    let right = format!("Bearer {KEY}");
    let opened = Socket::open_with(&stage, &query, &[("authorization", &right)]).await?;
    let mut socket = opened.map_err(anyhow::Error::msg)?;
    assert_eq!(socket.brief().await?, "snapshot 0 pending");
    let refused = Socket::open_with(&stage, &query, &[("authorization", "Bearer x")]).await?;
    assert_eq!(refused.err().as_deref(), Some("401 unauthorized"));
    Ok(())
}

#[tokio::test]
async fn anything_else_first_is_closed() -> anyhow::Result<()> {
    let stage = locked().await?;
    let film = Film::pending(&stage).await?;
    for message in [
        json!({ "op": "auth", "key": "wrong" }).to_string(),
        json!({ "op": "subscribe", "videos": [film.id] }).to_string(),
        "hello".to_owned(),
    ] {
        let mut socket = Socket::open(&stage, "").await?;
        socket.say_raw(Message::text(message)).await?;
        assert_eq!(socket.closed().await?, Some(4401));
    }
    Ok(())
}

#[tokio::test]
async fn silence_is_closed_after_five_seconds() -> anyhow::Result<()> {
    let stage = locked().await?;
    let mut socket = Socket::open(&stage, "").await?;
    let began = std::time::Instant::now();
    assert_eq!(socket.closed().await?, Some(4401));
    assert!(began.elapsed().as_secs() >= 4);
    Ok(())
}

#[tokio::test]
async fn where_no_key_is_set_one_does_no_harm() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::pending(&stage).await?;
    let mut socket = Socket::open(&stage, "").await?;
    socket.say(&json!({ "op": "auth", "key": "any" })).await?;
    socket.say(&json!({ "op": "subscribe", "videos": [film.id] })).await?;
    assert_eq!(socket.brief().await?, "snapshot 0 pending");
    Ok(())
}

#[tokio::test]
async fn pages_of_other_sites_may_not() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let local = format!("http://localhost:{}", stage.port);
    for (headers, wanted) in [
        (vec![("origin", stage.url.as_str())], None),
        (vec![("origin", local.as_str()), ("sec-fetch-site", "same-origin")], None),
        (vec![("origin", "https://evil.example")], Some("403 foreign_origin")),
        (vec![("origin", "null")], Some("403 foreign_origin")),
        (vec![("sec-fetch-site", "cross-site")], Some("403 foreign_origin")),
        (vec![("host", "evil.example")], Some("421 wrong_host")),
    ] {
        let opened = Socket::open_with(&stage, "", &headers).await?;
        assert_eq!(opened.err().as_deref(), wanted, "{headers:?}");
    }
    Ok(())
}

#[tokio::test]
async fn without_a_websocket_it_is_refused() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let said = stage.get("/ws").await?;
    assert_eq!(
        (said.code().as_str(), said.header("upgrade")),
        ("426 upgrade_required", "websocket")
    );
    assert_eq!(stage.get("/ws?video_id=x").await?.code(), "400 bad_query");
    Ok(())
}
