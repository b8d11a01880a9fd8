//! An answer, and what every answer must hold to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// What the gateway answered.
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

static API: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(reelpin_gateway::openapi_document()).unwrap_or_default());

impl Said {
    pub(crate) async fn read(response: reqwest::Response) -> anyhow::Result<Self> {
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| self.text())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Status and these headers, one a line, for snapshots.
    pub(crate) fn head(&self, names: &[&str]) -> String {
        let mut text = format!("{}\n", self.status);
        for name in names {
            let _ = writeln!(text, "{name}: {}", self.header(name));
        }
        text
    }

    /// A refusal as people read it: `409 size_mismatch: detail | suggestion`.
    pub(crate) fn problem(&self) -> String {
        let Ok(body) = self.json() else { return format!("{} (no problem)", self.status) };
        let word = |name: &str| body[name].as_str().unwrap_or("-").to_owned();
        format!("{} {}: {} | {}", self.status, word("code"), word("detail"), word("suggestion"))
    }

    pub(crate) fn code(&self) -> String {
        let body = self.json().unwrap_or_default();
        format!("{} {}", self.status, body["code"].as_str().unwrap_or("-"))
    }

    /// Every refusal is a whole problem that nobody may cache, and one that the API declares.
    pub(crate) fn is_declared(&self, method: &Method, path: &str) -> anyhow::Result<()> {
        ensure!(!self.header("x-request-id").is_empty(), "no request id");
        if self.status < 400 || method == Method::HEAD {
            return Ok(());
        }
        ensure!(self.header("content-type") == "application/problem+json", "{}", self.text());
        ensure!(self.header("cache-control") == "no-store", "a refusal that may be cached");
        let body = self.json()?;
        let fields: BTreeMap<String, Value> = serde_json::from_value(body.clone())?;
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        let wanted = ["code", "detail", "request_id", "status", "suggestion", "title", "type"];
        ensure!(names == wanted, "{names:?}");
        ensure!(body["status"] == self.status && body["type"] == "about:blank", "{body}");
        ensure!(body["request_id"] == self.header("x-request-id"), "{body}");
        let code = body["code"].as_str().unwrap_or_default();
        let Some(operation) = operation(method, path) else {
            let plain = matches!(code, "route_not_found" | "method_not_allowed" | "wrong_host")
                || path.starts_with("/app/")
                || path == "/";
            ensure!(plain, "{method} {path} is not in the API and answers {code}");
            return Ok(());
        };
        let declared = operation["responses"][self.status.to_string()]["description"].as_str();
        let is_declared = declared.is_some_and(|text| text.contains(&format!("`{code}`")));
        ensure!(is_declared, "{method} {path} answers {code}, which it does not declare");
        Ok(())
    }
}

/// The operation of the API that a path belongs to.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let given: Vec<&str> = path.split('/').collect();
    let paths = API["paths"].as_object()?;
    let (_, item) = paths.iter().find(|(template, _)| {
        let parts: Vec<&str> = template.split('/').collect();
        let rest = parts.last() == Some(&"{path}");
        (rest && given.len() >= parts.len() || given.len() == parts.len())
            && parts.iter().zip(&given).all(|(part, given)| part.starts_with('{') || part == given)
    })?;
    item.get(method.as_str().to_ascii_lowercase())
}

/// Asks again until the answer is there; fails after 20 s.
pub(crate) async fn until<T>(
    what: &str,
    mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let asking = async {
        loop {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, asking).await.with_context(|| format!("waited for {what}"))?
}
