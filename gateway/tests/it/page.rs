//! `/` and `/app/...`.

use std::fmt::Write as _;

use expect_test::expect;

use crate::scaffold::{Options, Stage};

#[tokio::test]
async fn the_page_and_its_headers() -> anyhow::Result<()> {
    let media_url = Some("https://cdn.example/videos".to_owned());
    let stage = Stage::with(Options { media_url, ..Options::default() }).await?;
    let said = stage.get("/").await?;
    let names = [
        "content-type",
        "content-security-policy",
        "x-content-type-options",
        "referrer-policy",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "cache-control",
        "vary",
    ];
    let text = said.head(&names).replace(&stage.bucket.config.public_endpoint, "BUCKET");
    expect![[r#"
        200
        content-type: text/html; charset=utf-8
        content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: https://cdn.example; connect-src 'self' BUCKET https://cdn.example; media-src 'self' blob: https://cdn.example; worker-src 'self' blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        x-content-type-options: nosniff
        referrer-policy: no-referrer
        cross-origin-opener-policy: same-origin
        cross-origin-resource-policy: same-origin
        cache-control: no-cache
        vary: accept-encoding
    "#]].assert_eq(&text);
    assert!(said.text().contains("<title>Reelpin"));
    Ok(())
}

#[tokio::test]
async fn files_inside_the_folder_and_no_others() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    std::os::unix::fs::symlink("/etc/hostname", stage.web.path().join("outside.js"))?;
    let mut table = String::new();
    for path in [
        "main.js",
        "styles/base.css",
        "vendor/hls.mjs",
        "vendor/hls.worker.js",
        "index.html",
        "package.json",
        ".secret",
        ".git/config",
        "tests/main.js",
        "node_modules/hls.js/package.json",
        "node_modules/hls.js/dist/hls.mjs",
        "styles",
        "styles/",
        "vendor/other.js",
        "outside.js",
        "..%2fmain.js",
        "styles/..%2f..%2f..%2fetc%2fhostname",
        "%2fetc%2fhostname",
        "main.js%00",
        "missing.js",
        "",
    ] {
        let said = stage.get(&format!("/app/{path}")).await?;
        writeln!(
            table,
            "{path}: {} {}",
            said.code().replace(" -", ""),
            said.header("content-type")
        )?;
    }
    expect![[r#"
        main.js: 200 text/javascript; charset=utf-8
        styles/base.css: 200 text/css; charset=utf-8
        vendor/hls.mjs: 200 text/javascript; charset=utf-8
        vendor/hls.worker.js: 200 text/javascript; charset=utf-8
        index.html: 200 text/html; charset=utf-8
        package.json: 404 file_not_found application/problem+json
        .secret: 404 file_not_found application/problem+json
        .git/config: 404 file_not_found application/problem+json
        tests/main.js: 404 file_not_found application/problem+json
        node_modules/hls.js/package.json: 404 file_not_found application/problem+json
        node_modules/hls.js/dist/hls.mjs: 404 file_not_found application/problem+json
        styles: 404 file_not_found application/problem+json
        styles/: 404 file_not_found application/problem+json
        vendor/other.js: 404 file_not_found application/problem+json
        outside.js: 404 file_not_found application/problem+json
        ..%2fmain.js: 404 file_not_found application/problem+json
        styles/..%2f..%2f..%2fetc%2fhostname: 404 file_not_found application/problem+json
        %2fetc%2fhostname: 404 file_not_found application/problem+json
        main.js%00: 404 file_not_found application/problem+json
        missing.js: 404 file_not_found application/problem+json
        : 404 route_not_found application/problem+json
    "#]]
    .assert_eq(&table);
    Ok(())
}

#[tokio::test]
async fn are_asked_for_again_by_their_content() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    for encoding in ["identity", "gzip"] {
        let asked = [("accept-encoding", encoding)];
        let first = stage.get_with("/app/main.js", &asked).await?;
        let etag = first.header("etag").to_owned();
        let again = [asked[0], ("if-none-match", etag.as_str())];
        let said = stage.get_with("/app/main.js", &again).await?;
        assert_eq!((said.status, said.body.len(), said.header("etag")), (304, 0, etag.as_str()));
        let head = stage.head_with("/app/main.js", &asked).await?;
        assert_eq!(head.header("content-length"), first.body.len().to_string());
        std::fs::write(stage.web.path().join("main.js"), format!("changed for {encoding}"))?;
        let said = stage.get_with("/app/main.js", &again).await?;
        assert_eq!((said.status, said.header("etag") == etag), (200, false));
    }
    Ok(())
}
