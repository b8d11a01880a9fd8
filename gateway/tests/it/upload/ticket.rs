//! `POST /upload/video`.

use expect_test::expect;
use reelpin_schema::settings::MAX_UPLOAD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::scaffold::{Options, Stage, id_of};

#[tokio::test]
async fn a_ticket_says_how_to_upload() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let said = stage
        .post_json("/upload/video", &json!({ "filename": "Urlaub.mp4", "fileSize": 1000 }))
        .await?;
    assert_eq!(said.status, 201);
    let ticket = said.json()?;
    let names: Vec<&String> = ticket.as_object().into_iter().flat_map(|t| t.keys()).collect();
    assert_eq!(names, ["expires_at", "headers", "presigned_url", "s3_path", "video_id"]);
    assert_eq!(ticket["headers"], json!({ "if-none-match": "*" }));
    let id = id_of(&ticket)?;
    let record = stage.record(id).await?;
    assert_eq!(record["title"], "Urlaub");
    assert_eq!(record["filename"], "Urlaub.mp4");
    assert_eq!(record["file_size"], 1000);
    assert_eq!(record["upload_status"], "pending");
    assert_eq!(record["playback"], json!({}));
    let path = ticket["s3_path"].as_str().unwrap_or_default();
    assert!(path.starts_with(&format!("orig/{id}/")), "{path}");
    let created = record["created_at"].as_str().unwrap_or_default();
    let expires = ticket["expires_at"].as_str().unwrap_or_default();
    assert!(created < expires && expires.ends_with('Z'), "{created} {expires}");
    Ok(())
}

#[tokio::test]
async fn where_the_engine_would_ignore_it_nothing_is_signed_into_the_headers() -> anyhow::Result<()>
{
    let stage = Stage::with(Options { copies: true, ..Options::default() }).await?;
    assert_eq!(stage.ticket("a.mp4", 9).await?["headers"], json!({}));
    Ok(())
}

#[tokio::test]
async fn texts_are_cleaned() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut table = String::new();
    for body in [
        json!({ "filename": "C:\\films\\a.b.mkv", "fileSize": 1 }),
        json!({ "filename": "../../etc/passwd", "fileSize": 1 }),
        json!({ "filename": "x\u{0}\u{202e}4pm.exe", "fileSize": 1 }),
        json!({ "filename": ".mov", "fileSize": 1 }),
        json!({ "filename": "a.mp4", "fileSize": 1, "title": "  two\nlines " }),
        json!({ "filename": "a.mp4", "fileSize": 1, "title": "\t" }),
        json!({ "filename": "a.mp4", "fileSize": 1, "description": " a\r\n\tb\u{7} " }),
    ] {
        let said = stage.post_json("/upload/video", &body).await?;
        let record = stage.record(id_of(&said.json()?)?).await?;
        let fields = ["filename", "title", "description"].map(|name| record[name].to_string());
        table.push_str(&format!("{}\n", fields.join(" ")));
    }
    expect![[r#"
        "a.b.mkv" "a.b" ""
        "passwd" "passwd" ""
        "x4pm.exe" "x4pm" ""
        ".mov" ".mov" ""
        "a.mp4" "twolines" ""
        "a.mp4" "a" ""
        "a.mp4" "a" "a\n\tb"
    "#]]
    .assert_eq(&table);
    Ok(())
}

#[tokio::test]
async fn refusals() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let mut table = String::new();
    for body in [
        json!({ "filename": "a.mp4", "fileSize": MAX_UPLOAD + 1 }),
        json!({ "filename": "a.mp4", "fileSize": 0 }),
        json!({ "filename": "a.mp4", "fileSize": -1 }),
        json!({ "filename": "", "fileSize": 1 }),
        json!({ "filename": "films/", "fileSize": 1 }),
        json!({ "filename": "a".repeat(256), "fileSize": 1 }),
        json!({ "filename": "a.mp4", "fileSize": 1, "title": "t".repeat(201) }),
        json!({ "filename": "a.mp4", "fileSize": 1, "description": "d".repeat(5001) }),
        json!({ "fileSize": 1 }),
        json!([]),
    ] {
        table.push_str(&stage.post_json("/upload/video", &body).await?.problem());
        table.push('\n');
    }
    let request = |kind: &'static str, body: String| {
        stage.request(Method::POST, "/upload/video").header("content-type", kind).body(body)
    };
    let json = "application/json; charset=utf-8";
    for request in [
        request("text/plain", "{}".to_owned()),
        request(json, "{".to_owned()),
        request(json, format!("\"{}\"", "x".repeat(70_000))),
    ] {
        table.push_str(&stage.say(request).await?.problem());
        table.push('\n');
    }
    expect![[r#"
        413 too_large: The file has 5368709121 bytes, and one upload takes up to 5 GiB. | Upload a smaller file.
        400 bad_field: fileSize is 0: the file is empty. | Correct the field and send it again.
        400 bad_json: The JSON cannot be used: invalid value: integer `-1`, expected u64 at line 1 column 14. | Correct the request; /openapi.json describes it.
        400 bad_field: filename is empty. | Correct the field and send it again.
        400 bad_field: filename is empty. | Correct the field and send it again.
        400 bad_field: filename has 256 characters, more than 255. | Correct the field and send it again.
        400 bad_field: title has 201 characters, more than 200. | Correct the field and send it again.
        400 bad_field: description has 5001 characters, more than 5000. | Correct the field and send it again.
        400 bad_json: The JSON cannot be used: missing field `filename` at line 1 column 14. | Correct the request; /openapi.json describes it.
        400 bad_json: The JSON cannot be used: invalid length 0, expected an object with filename and fileSize at line 1 column 2. | Correct the request; /openapi.json describes it.
        415 not_json: The request does not say that it is JSON. | Send it with content-type: application/json.
        400 bad_json: The JSON cannot be used: EOF while parsing an object at line 1 column 1. | Correct the request; /openapi.json describes it.
        413 body_too_large: The request's body has more than 65536 bytes. | Shorten the texts in it.
    "#]].assert_eq(&table);
    assert_eq!(stage.get("/videos").await?.json()?["videos"], Value::Array(Vec::new()));
    Ok(())
}

#[tokio::test]
async fn the_largest_file_is_5_gib() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let body = json!({ "filename": "a.mp4", "fileSize": MAX_UPLOAD });
    assert_eq!(stage.post_json("/upload/video", &body).await?.status, 201);
    Ok(())
}
