//! The description is the API.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use expect_test::expect;
use reqwest::Method;
use serde_json::Value;

use crate::scaffold::Stage;

const METHODS: &[&str] = &["get", "head", "post", "put", "patch", "delete", "options"];

#[tokio::test]
async fn every_route_with_its_problems() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let api = stage.get("/openapi.json").await?.json()?;
    assert_eq!(api["openapi"], "3.1.0");
    let mut table = String::new();
    for (path, item) in api["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let key = if operation["security"].is_array() { " (key)" } else { "" };
            let mut codes = Vec::new();
            for response in operation["responses"].as_object().into_iter().flatten() {
                let description = response.1["description"].as_str().unwrap_or_default();
                if !description.starts_with('`') {
                    codes.push(response.0.clone());
                }
                codes.extend(
                    description.lines().filter_map(|line| Some(line.split('`').nth(1)?.to_owned())),
                );
            }
            writeln!(table, "{method} {path}{key}\n    {}", codes.join(" "))?;
        }
    }
    expect![[r#"
        get /config
            200 wrong_host internal busy
        get /health/live
            200 wrong_host internal busy
        get /health/ready
            200 wrong_host internal not_ready busy
        get /metrics (key)
            200 unauthorized wrong_host internal not_ready busy
        get /openapi.json
            200 wrong_host internal busy
        get /tasks (key)
            200 bad_query bad_cursor unauthorized wrong_host internal busy
        post /upload/video (key)
            201 bad_json bad_field unauthorized foreign_origin body_too_slow too_large body_too_large not_json wrong_host internal busy
        post /upload/video/{id}/complete (key)
            200 unauthorized foreign_origin video_not_found upload_missing size_mismatch video_ended video_deleted wrong_host not_a_video internal busy
        get /video/{id}
            200 bad_query video_not_found video_deleted wrong_host internal busy
        patch /video/{id} (key)
            200 bad_json bad_field unauthorized foreign_origin video_not_found body_too_slow video_deleted body_too_large not_json wrong_host internal busy
        delete /video/{id} (key)
            202 unauthorized foreign_origin video_not_found video_deleted wrong_host internal busy
        post /video/{id}/cancel (key)
            200 unauthorized foreign_origin video_not_found nothing_to_cancel video_deleted wrong_host internal busy
        get /video/{id}/events
            200 bad_query video_not_found video_deleted wrong_host internal busy
        get /video/{id}/hls/{path}
            200 206 304 video_not_found file_not_found not_playable_yet video_deleted bad_range wrong_host internal made_anew busy
        get /video/{id}/mp4/{rung}
            200 206 304 bad_query video_not_found file_not_found video_deleted bad_range wrong_host internal busy
        get /video/{id}/poster
            200 206 304 video_not_found file_not_found video_deleted bad_range wrong_host internal busy
        get /video/{id}/progress
            200 video_not_found video_deleted wrong_host internal busy
        post /video/{id}/retry (key)
            200 unauthorized foreign_origin video_not_found nothing_to_retry video_deleted wrong_host internal busy
        get /video/{id}/segments
            200 bad_query video_not_found video_deleted wrong_host internal busy
        get /videos (key)
            200 bad_query bad_cursor unauthorized wrong_host internal busy
        get /ws
            101 bad_query unauthorized foreign_origin wrong_host upgrade_required internal busy
    "#]].assert_eq(&table);
    Ok(())
}

/// The router's own source names every handler; each must be reachable as it is described.
#[tokio::test]
async fn what_is_described_is_there_and_what_is_there_is_described() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let api = stage.get("/openapi.json").await?.json()?;
    let source = include_str!("../../src/router.rs");
    let routes = source.matches("routes!(").count();
    let described: usize = api["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, item)| METHODS.iter().filter(|method| item.get(**method).is_some()).count())
        .sum();
    assert_eq!(routes, described);
    let plain: BTreeSet<&str> =
        source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(plain, BTreeSet::from(["/", "/app/{*path}"]));
    for (path, item) in api["paths"].as_object().into_iter().flatten() {
        let path = path.replace("{id}", "x").replace("{rung}", "480p").replace("{path}", "x");
        for method in METHODS.iter().filter(|method| item.get(**method).is_some()) {
            let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes())?;
            let said = stage.say(stage.request(method.clone(), &path)).await?;
            let code = said.code();
            assert!(
                !code.contains("route_not_found") && said.status != 405,
                "{method} {path} {code}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_reference_leads_somewhere() -> anyhow::Result<()> {
    let stage = Stage::new().await?;
    let api = stage.get("/openapi.json").await?.json()?;
    let mut open = vec![&api];
    while let Some(value) = open.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.trim_start_matches('#');
            assert!(api.pointer(pointer).is_some(), "{reference}");
        }
        match value {
            Value::Object(fields) => open.extend(fields.values()),
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    Ok(())
}
