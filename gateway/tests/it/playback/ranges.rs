//! Ranges of a stored file of 200,000 bytes.

use std::fmt::Write as _;

use expect_test::expect;

use crate::scaffold::{Film, Stage};

#[tokio::test]
async fn ranges() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    let path = film.path("/hls/480p-a1b2c3.mp4");
    let whole = stage.get(&path).await?;
    let etag = whole.header("etag").to_owned();
    let mut table = String::new();
    for (range, if_range) in [
        ("bytes=0-0", None),
        ("bytes=10-19", None),
        ("bytes=199990-", None),
        ("bytes=-5", None),
        ("bytes=-999999", None),
        ("bytes=0-999999", None),
        ("bytes=65536-131071", None),
        ("bytes=200000-", None),
        ("bytes=99999999999999999999-", None),
        ("bytes=-0", None),
        ("bytes=5-4", None),
        ("bytes=x-4", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=10-19", Some(etag.as_str())),
        ("bytes=10-19", Some("\"other\"")),
        ("bytes=10-19", Some("Wed, 21 Oct 2015 07:28:00 GMT")),
    ] {
        let mut headers = vec![("range", range)];
        headers.extend(if_range.map(|etag| ("if-range", etag)));
        let said = stage.get_with(&path, &headers).await?;
        let told = said.header("content-range").to_owned();
        writeln!(table, "{range} {if_range:?}: {} [{told}] {}", said.code(), said.body.len())?;
        if let (206, Some(span)) = (said.status, told.strip_prefix("bytes ")) {
            let (span, _) = span.split_once('/').unwrap_or_default();
            let (from, to) = span.split_once('-').unwrap_or_default();
            let (from, to): (usize, usize) = (from.parse()?, to.parse()?);
            assert_eq!(said.body, whole.body[from..=to]);
        }
    }
    expect![[r#"
        bytes=0-0 None: 206 - [bytes 0-0/200000] 1
        bytes=10-19 None: 206 - [bytes 10-19/200000] 10
        bytes=199990- None: 206 - [bytes 199990-199999/200000] 10
        bytes=-5 None: 206 - [bytes 199995-199999/200000] 5
        bytes=-999999 None: 206 - [bytes 0-199999/200000] 200000
        bytes=0-999999 None: 206 - [bytes 0-199999/200000] 200000
        bytes=65536-131071 None: 206 - [bytes 65536-131071/200000] 65536
        bytes=200000- None: 416 bad_range [bytes */200000] 265
        bytes=99999999999999999999- None: 416 bad_range [bytes */200000] 265
        bytes=-0 None: 416 bad_range [bytes */200000] 265
        bytes=5-4 None: 200 - [] 200000
        bytes=x-4 None: 200 - [] 200000
        bytes=0-1,5-6 None: 200 - [] 200000
        items=0-1 None: 200 - [] 200000
        bytes=10-19 Some("\"480p-a1b2c3.mp4\""): 206 - [bytes 10-19/200000] 10
        bytes=10-19 Some("\"other\""): 200 - [] 200000
        bytes=10-19 Some("Wed, 21 Oct 2015 07:28:00 GMT"): 200 - [] 200000
    "#]]
    .assert_eq(&table.replace(" -:", ":"));
    Ok(())
}

#[tokio::test]
async fn head_has_no_ranges_and_no_body() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    for path in ["/hls/480p-a1b2c3.mp4", "/mp4/480p"] {
        let said = stage.head_with(&film.path(path), &[("range", "bytes=0-1")]).await?;
        assert_eq!((said.status, said.header("content-length")), (200, "200000"));
        assert!(said.body.is_empty());
    }
    let said = stage.head_with(&film.path("/hls/none.m4s"), &[]).await?;
    assert_eq!((said.status, said.body.len()), (404, 0));
    Ok(())
}
