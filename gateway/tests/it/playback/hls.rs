//! `GET /video/{id}/hls/...`.

use std::fmt::Write as _;
use std::io::Read as _;
use std::time::Duration;

use expect_test::expect;
use reqwest::Method;
use tokio::io::AsyncReadExt as _;

use crate::scaffold::{Film, Stage};

const HEADERS: &[&str] = &["content-type", "cache-control", "etag", "vary", "accept-ranges"];

#[tokio::test]
async fn before_it_can_be_played() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::planned(&stage).await?;
    film.store_segment("480p", 0).await?;
    let mut table = String::new();
    for path in ["live.m3u8", "master.m3u8", "480p/live.m3u8", "720p/live.m3u8"] {
        let said = stage.get(&film.path(&format!("/hls/{path}"))).await?;
        writeln!(table, "{path}: {}", said.code())?;
    }
    expect![[r#"
        live.m3u8: 404 not_playable_yet
        master.m3u8: 404 not_playable_yet
        480p/live.m3u8: 404 not_playable_yet
        720p/live.m3u8: 404 file_not_found
    "#]]
    .assert_eq(&table);
    Ok(())
}

#[tokio::test]
async fn playlists_are_rendered_from_what_is_stored() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::playable(&stage).await?;
    let mut text = String::new();
    for path in ["live.m3u8", "480p/live.m3u8", "audio/live.m3u8"] {
        let said = stage.get(&film.path(&format!("/hls/{path}"))).await?;
        writeln!(text, "{path} {} {}\n{}", said.status, said.header("cache-control"), said.text())?;
    }
    expect![[r#"
        live.m3u8 200 public, no-cache
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-START:TIME-OFFSET=0.001,PRECISE=YES
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="main",LANGUAGE="und",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio/live.m3u8"
        #EXT-X-STREAM-INF:BANDWIDTH=1168000,AVERAGE-BANDWIDTH=1168000,CODECS="avc1.64001e,mp4a.40.2",RESOLUTION=854x480,FRAME-RATE=24.000,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE,AUDIO="a"
        480p/live.m3u8

        480p/live.m3u8 200 public, no-cache
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-TARGETDURATION:6
        #EXT-X-PLAYLIST-TYPE:EVENT
        #EXT-X-START:TIME-OFFSET=0.001,PRECISE=YES
        #EXT-X-MEDIA-SEQUENCE:0
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-MAP:URI="init-a1b2c3.mp4"
        #EXTINF:2.00000,
        00000-a1b2c3.m4s
        #EXTINF:2.00000,
        00001-a1b2c3.m4s
        #EXTINF:1.00000,
        00002-a1b2c3.m4s
        #EXT-X-ENDLIST

        audio/live.m3u8 200 public, no-cache
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-TARGETDURATION:6
        #EXT-X-PLAYLIST-TYPE:EVENT
        #EXT-X-START:TIME-OFFSET=0.001,PRECISE=YES
        #EXT-X-MEDIA-SEQUENCE:0
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-MAP:URI="init-a1b2c3.mp4"
        #EXTINF:2.00000,
        00000-a1b2c3.m4s
        #EXTINF:2.00000,
        00001-a1b2c3.m4s
        #EXTINF:1.00000,
        00002-a1b2c3.m4s
        #EXT-X-ENDLIST

    "#]].assert_eq(&text);
    let growing = stage.get(&film.path("/hls/live.m3u8")).await?.text();
    assert_eq!(stage.get(&film.path("/hls/master.m3u8")).await?.text(), growing);
    Ok(())
}

#[tokio::test]
async fn the_last_cut_is_shown_with_the_end() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::planned(&stage).await?;
    let mut table = String::new();
    for (rendition, sequence) in [("480p", 0), ("audio", 0), ("480p", 1), ("audio", 1)] {
        film.store_segment(rendition, sequence).await?;
    }
    film.store("audio").await?;
    film.store_segment("480p", 2).await?;
    listed(&film, "all segments are stored, and more may come", &mut table).await?;
    film.whole("480p").await?;
    stage.queue.video_changed(film.id).await;
    tokio::time::sleep(RENDERED).await;
    listed(&film, "nothing more will come", &mut table).await?;
    expect![[r#"
        all segments are stored, and more may come
        480p: 2 segments, ended: false
        audio: 2 segments, ended: false
        nothing more will come
        480p: 3 segments, ended: true
        audio: 3 segments, ended: true
    "#]]
    .assert_eq(&table);
    Ok(())
}

#[tokio::test]
async fn rungs_join_when_they_have_caught_up_and_all_are_cut_together() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::ladder(&stage).await?;
    let mut table = String::new();
    let steps: &[(&str, &[(&str, u32)])] = &[
        (
            "the beginning, and all of the sound",
            &[("480p", 0), ("audio", 0), ("audio", 1), ("audio", 2)],
        ),
        ("the lowest goes on", &[("480p", 1)]),
        ("the highest is copied", &[("1080p", 0), ("1080p", 1), ("1080p", 2)]),
        ("another begins", &[("720p", 0)]),
        ("it reaches what is shown", &[("720p", 1)]),
        ("the lowest has ended", &[("480p", 2)]),
        ("all have", &[("720p", 2)]),
    ];
    for (when, stored) in steps {
        for (rendition, sequence) in *stored {
            film.store_segment(rendition, *sequence).await?;
            if *sequence == 2 {
                film.whole(rendition).await?;
            }
        }
        tokio::time::sleep(RENDERED).await;
        ladder(&film, when, &mut table).await?;
    }
    expect![[r#"
        the beginning, and all of the sound: audio 1 480p 1
        the lowest goes on: audio 2 480p 2
        the highest is copied: audio 2 480p 2 1080p 2
        another begins: audio 2 480p 2 1080p 2
        it reaches what is shown: audio 2 480p 2 720p 2 1080p 2
        the lowest has ended: audio 2 480p 2 720p 2 1080p 2
        all have: audio 3, ended 480p 3, ended 720p 3, ended 1080p 3, ended
    "#]]
    .assert_eq(&table);
    Ok(())
}

/// The master's rungs, and how much of each rendition is shown.
async fn ladder(film: &Film<'_>, when: &str, table: &mut String) -> anyhow::Result<()> {
    let master = film.stage.get(&film.path("/hls/live.m3u8")).await?.text();
    write!(table, "{when}:")?;
    for rendition in ["audio", "480p", "720p", "1080p"] {
        if !master.contains(&format!("{rendition}/live.m3u8")) {
            continue;
        }
        let path = film.path(&format!("/hls/{rendition}/live.m3u8"));
        let text = film.stage.get(&path).await?.text();
        let ended = if text.contains("#EXT-X-ENDLIST") { ", ended" } else { "" };
        write!(table, " {rendition} {}{ended}", text.matches("#EXTINF").count())?;
    }
    writeln!(table)?;
    Ok(())
}

#[tokio::test]
async fn who_watches_waits_while_the_sound_is_made_anew() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::planned(&stage).await?;
    let mut table = String::new();
    for rendition in ["480p", "audio"] {
        film.store_segment(rendition, 0).await?;
    }
    answered(&film, "playable", &mut table).await?;
    film.sound_anew().await?;
    answered(&film, "its sound is forgotten", &mut table).await?;
    let waiting = answered(&film, "its sound begins anew", &mut table);
    let made = async {
        tokio::time::sleep(RENDERED * 2).await;
        film.store_segment("audio", 0).await
    };
    tokio::try_join!(waiting, made)?;
    expect![[r#"
        playable
          live.m3u8: 200 
          480p/live.m3u8: 200 
          audio/live.m3u8: 200 
        its sound is forgotten
          live.m3u8: 503 made_anew 1
          480p/live.m3u8: 503 made_anew 1
          audio/live.m3u8: 503 made_anew 1
        its sound begins anew
          live.m3u8: 200 
          480p/live.m3u8: 200 
          audio/live.m3u8: 200 
    "#]]
    .assert_eq(&table);
    Ok(())
}

async fn answered(film: &Film<'_>, when: &str, table: &mut String) -> anyhow::Result<()> {
    writeln!(table, "{when}")?;
    tokio::time::sleep(RENDERED).await;
    let paths = ["live.m3u8", "480p/live.m3u8", "audio/live.m3u8"];
    let asked = paths.map(async |path| film.stage.get(&film.path(&format!("/hls/{path}"))).await);
    for (path, said) in paths.iter().zip(futures_util::future::try_join_all(asked).await?) {
        let code = if said.status == 200 { "200".to_owned() } else { said.code() };
        writeln!(table, "  {path}: {code} {}", said.header("retry-after"))?;
    }
    Ok(())
}

/// For longer than this no rendering is served.
const RENDERED: Duration = Duration::from_millis(1100);

async fn listed(film: &Film<'_>, when: &str, table: &mut String) -> anyhow::Result<()> {
    writeln!(table, "{when}")?;
    for rendition in ["480p", "audio"] {
        let path = film.path(&format!("/hls/{rendition}/live.m3u8"));
        let text = film.stage.get(&path).await?.text();
        let (segments, ended) = (text.matches("#EXTINF").count(), text.contains("#EXT-X-ENDLIST"));
        writeln!(table, "{rendition}: {segments} segments, ended: {ended}")?;
    }
    Ok(())
}

#[tokio::test]
async fn when_completed_the_master_is_the_stored_one_and_the_growing_ones_go_on()
-> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    let alias = stage.get(&film.path("/hls/master.m3u8")).await?;
    let named = stage.get(&film.path("/hls/master-a1b2c3.m3u8")).await?;
    assert_eq!(alias.text(), named.text());
    expect![[r#"
        200
        content-type: application/vnd.apple.mpegurl
        cache-control: public, no-cache
        etag: "master-a1b2c3.m3u8"
        vary: accept-encoding
        accept-ranges: 
        200
        content-type: application/vnd.apple.mpegurl
        cache-control: public, max-age=31536000, immutable
        etag: "master-a1b2c3.m3u8"
        vary: accept-encoding
        accept-ranges: 
    "#]]
    .assert_eq(&format!("{}{}", alias.head(HEADERS), named.head(HEADERS)));
    let live = stage.get(&film.path("/hls/live.m3u8")).await?.text();
    assert!(live.contains("BANDWIDTH=1800000,AVERAGE-BANDWIDTH=1400000"), "{live}");
    assert!(stage.get(&film.path("/hls/480p/live.m3u8")).await?.text().contains("ENDLIST"));
    Ok(())
}

#[tokio::test]
async fn types_and_caching_of_stored_files() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    let mut table = String::new();
    for path in [
        "480p/index-a1b2c3.m3u8",
        "480p/init-a1b2c3.mp4",
        "480p/00000-a1b2c3.m4s",
        "audio/init-a1b2c3.mp4",
        "audio/00002-a1b2c3.m4s",
        "poster-a1b2c3.jpg",
        "480p-a1b2c3.mp4",
    ] {
        let said = stage.get(&film.path(&format!("/hls/{path}"))).await?;
        let head = stage.head_with(&film.path(&format!("/hls/{path}")), &[]).await?;
        assert_eq!(head.head(HEADERS), said.head(HEADERS));
        assert_eq!(head.header("content-length"), said.body.len().to_string());
        write!(table, "{path} {}", said.head(HEADERS))?;
    }
    expect![[r#"
        480p/index-a1b2c3.m3u8 200
        content-type: application/vnd.apple.mpegurl
        cache-control: public, max-age=31536000, immutable
        etag: "480p/index-a1b2c3.m3u8"
        vary: accept-encoding
        accept-ranges: 
        480p/init-a1b2c3.mp4 200
        content-type: video/mp4
        cache-control: public, max-age=31536000, immutable
        etag: "480p/init-a1b2c3.mp4"
        vary: 
        accept-ranges: bytes
        480p/00000-a1b2c3.m4s 200
        content-type: video/iso.segment
        cache-control: public, max-age=31536000, immutable
        etag: "480p/00000-a1b2c3.m4s"
        vary: 
        accept-ranges: bytes
        audio/init-a1b2c3.mp4 200
        content-type: audio/mp4
        cache-control: public, max-age=31536000, immutable
        etag: "audio/init-a1b2c3.mp4"
        vary: 
        accept-ranges: bytes
        audio/00002-a1b2c3.m4s 200
        content-type: audio/mp4
        cache-control: public, max-age=31536000, immutable
        etag: "audio/00002-a1b2c3.m4s"
        vary: 
        accept-ranges: bytes
        poster-a1b2c3.jpg 200
        content-type: image/jpeg
        cache-control: public, max-age=31536000, immutable
        etag: "poster-a1b2c3.jpg"
        vary: 
        accept-ranges: bytes
        480p-a1b2c3.mp4 200
        content-type: video/mp4
        cache-control: public, max-age=31536000, immutable
        etag: "480p-a1b2c3.mp4"
        vary: 
        accept-ranges: bytes
    "#]]
    .assert_eq(&table);
    Ok(())
}

#[tokio::test]
async fn nothing_but_its_own_files() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let (film, other) = (Film::completed(&stage).await?, Film::completed(&stage).await?);
    let original = stage.bucket.client.list(&format!("orig/{}/", film.id), None).await?;
    let original = original.first().map(|object| object.key.clone()).unwrap_or_default();
    let mut paths = vec![
        "00000-a1b2c3.m4s".to_owned(),
        "480p".to_owned(),
        "480p/".to_owned(),
        "/480p".to_owned(),
        "480P/00000-a1b2c3.m4s".to_owned(),
        "480p//00000-a1b2c3.m4s".to_owned(),
        "480p/%2e%2e/480p/00000-a1b2c3.m4s".to_owned(),
        "480p/..%2f480p/x".to_owned(),
        "480p/.hidden".to_owned(),
        "480p/00000-a1b2c3.m4s%00".to_owned(),
        "%2Fetc%2Fpasswd".to_owned(),
        "..%2f..%2forig".to_owned(),
        "x".repeat(200),
        "480p\\00000-a1b2c3.m4s".to_owned(),
    ];
    paths.push(format!("..%2f..%2f{}", original.replace('/', "%2f")));
    paths.push(format!("..%2f{}%2f480p-a1b2c3.mp4", other.id));
    paths.push("480p/../480p/00000-a1b2c3.m4s".to_owned());
    for path in paths {
        // By hand: clients resolve dots themselves.
        let path = film.path(&format!("/hls/{path}"));
        let text =
            format!("GET {path} HTTP/1.1\r\nhost: localhost:PORT\r\nconnection: close\r\n\r\n");
        let mut answer = String::new();
        stage.raw(&text).await?.read_to_string(&mut answer).await?;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}\n{answer}");
        assert!(answer.contains(r#""code":"file_not_found""#), "{path}\n{answer}");
    }
    Ok(())
}

#[tokio::test]
async fn who_has_it_is_told_so() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    for path in ["480p/00000-a1b2c3.m4s", "master.m3u8", "master-a1b2c3.m3u8", "480p/live.m3u8"] {
        let path = film.path(&format!("/hls/{path}"));
        for encoding in ["identity", "gzip"] {
            let first = stage.get_with(&path, &[("accept-encoding", encoding)]).await?;
            let etag = first.header("etag").to_owned();
            assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
            for (given, status) in [
                (etag.clone(), 304),
                (format!("W/{etag}"), 304),
                (format!("\"x\", {etag}"), 304),
                ("*".to_owned(), 304),
                ("\"x\"".to_owned(), 200),
            ] {
                let headers = [("accept-encoding", encoding), ("if-none-match", given.as_str())];
                let said = stage.get_with(&path, &headers).await?;
                assert_eq!(said.status, status, "{path} {given}");
                assert_eq!(said.header("etag"), etag);
                assert_eq!(said.header("cache-control"), first.header("cache-control"));
                assert_eq!(said.body.is_empty(), status == 304);
            }
        }
    }
    let never = film.path("/hls/480p/00009-a1b2c3.m4s");
    let headers = [("if-none-match", "\"480p/00009-a1b2c3.m4s\"")];
    assert_eq!(stage.get_with(&never, &headers).await?.code(), "404 file_not_found");
    Ok(())
}

#[tokio::test]
async fn playlists_are_zipped_for_who_takes_it_under_another_etag() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    let path = film.path("/hls/master.m3u8");
    let plain = stage.get(&path).await?;
    let mut table = String::new();
    for accepted in ["gzip", "br, gzip;q=0.5", "*", "gzip;q=0", "identity", "br"] {
        let said = stage.get_with(&path, &[("accept-encoding", accepted)]).await?;
        writeln!(
            table,
            "{accepted}: [{}] {}",
            said.header("content-encoding"),
            said.header("etag")
        )?;
        let mut text = Vec::new();
        match said.header("content-encoding") {
            "gzip" => {
                flate2::read::GzDecoder::new(said.body.as_slice()).read_to_end(&mut text)?;
            }
            _ => text.clone_from(&said.body),
        }
        assert_eq!(text, plain.body);
    }
    expect![[r#"
        gzip: [gzip] "master-a1b2c3.m3u8.gz"
        br, gzip;q=0.5: [gzip] "master-a1b2c3.m3u8.gz"
        *: [gzip] "master-a1b2c3.m3u8.gz"
        gzip;q=0: [] "master-a1b2c3.m3u8"
        identity: [] "master-a1b2c3.m3u8"
        br: [] "master-a1b2c3.m3u8"
    "#]]
    .assert_eq(&table);
    Ok(())
}

#[tokio::test]
async fn other_sites_may_play_and_nothing_more() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let film = Film::completed(&stage).await?;
    let foreign = [("origin", "https://blog.example"), ("sec-fetch-site", "cross-site")];
    let mut table = String::new();
    for path in ["/hls/master.m3u8", "/hls/none.m4s", "/mp4/480p", "/poster", "", "/events"] {
        let said = stage.get_with(&film.path(path), &foreign).await?;
        let allowed = said.header("access-control-allow-origin");
        let exposed = said.header("access-control-expose-headers");
        writeln!(table, "{path} {} [{allowed}] [{exposed}]", said.status)?;
    }
    let preflight = stage
        .request(Method::OPTIONS, &film.path("/hls/480p/00000-a1b2c3.m4s"))
        .header("origin", "https://blog.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "range");
    let said = stage.say(preflight).await?;
    let names = [
        "access-control-allow-origin",
        "access-control-allow-methods",
        "access-control-allow-headers",
    ];
    table.push_str(&said.head(&names));
    expect![[r#"
        /hls/master.m3u8 200 [*] [accept-ranges,content-length,content-range,date,etag]
        /hls/none.m4s 404 [*] [accept-ranges,content-length,content-range,date,etag]
        /mp4/480p 200 [*] [accept-ranges,content-length,content-range,date,etag]
        /poster 200 [*] [accept-ranges,content-length,content-range,date,etag]
         200 [] []
        /events 200 [] []
        200
        access-control-allow-origin: *
        access-control-allow-methods: GET,HEAD
        access-control-allow-headers: *
    "#]]
    .assert_eq(&table);
    Ok(())
}
