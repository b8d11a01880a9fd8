//! `GET /videos`.

use serde_json::Value;

use crate::scaffold::{Film, Stage};

fn ids(page: &Value) -> Vec<String> {
    let videos = page["videos"].as_array().cloned().unwrap_or_default();
    videos.iter().map(|video| video["id"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn pages_newest_first_without_the_deleted() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut newest_first = Vec::new();
    for _ in 0..6 {
        newest_first.insert(0, Film::pending(&stage).await?.id.to_string());
    }
    let gone = newest_first.remove(2);
    assert_eq!(stage.delete(&format!("/video/{gone}")).await?.status, 202);
    let (mut seen, mut query, mut pages) = (Vec::new(), "?limit=2".to_owned(), 0);
    loop {
        let page = stage.get(&format!("/videos{query}")).await?.json()?;
        seen.extend(ids(&page));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!((seen, pages), (newest_first.clone(), 3));
    let all = stage.get("/videos").await?.json()?;
    assert_eq!((ids(&all), &all["next_cursor"]), (newest_first, &Value::Null));
    Ok(())
}

#[tokio::test]
async fn a_page_that_ends_with_the_list_has_no_next() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    for _ in 0..2 {
        Film::pending(&stage).await?;
    }
    let page = stage.get("/videos?limit=2").await?.json()?;
    assert_eq!((ids(&page).len(), &page["next_cursor"]), (2, &Value::Null));
    Ok(())
}

#[tokio::test]
async fn shows_whole_records() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let (one, two) = (Film::completed(&stage).await?, Film::playable(&stage).await?);
    let listed = stage.get("/videos").await?.json()?;
    assert_eq!(listed["videos"][1], stage.record(one.id).await?);
    assert_eq!(listed["videos"][0], stage.record(two.id).await?);
    Ok(())
}

#[tokio::test]
async fn refusals() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    for (query, code) in [
        ("?limit=0", "400 bad_query"),
        ("?limit=101", "400 bad_query"),
        ("?limit=-1", "400 bad_query"),
        ("?limit=x", "400 bad_query"),
        ("?cursor=", "400 bad_cursor"),
        ("?cursor=%3B%20DROP", "400 bad_cursor"),
        ("?cursor=AAAA", "400 bad_cursor"),
    ] {
        assert_eq!(stage.get(&format!("/videos{query}")).await?.code(), code, "{query}");
    }
    Ok(())
}
