//! Where queues come from in these tests.

use anyhow::{Context as _, ensure};
use reelpin_schema::queue::{Queue, pulsar};
use uuid::Uuid;

/// One implementation. Each test has one of its own, apart from all others.
pub(super) enum Stand {
    InProcess(Queue),
    Pulsar(pulsar::Config),
}

impl Stand {
    /// The queue of one process.
    pub(super) fn in_process() -> Self {
        Self::InProcess(Queue::in_process())
    }

    /// A namespace at the broker that the environment names; `None`, told, where it names none.
    pub(super) async fn pulsar() -> anyhow::Result<Option<Self>> {
        let Some(url) = named("REELPIN_TEST_PULSAR_URL") else { return Ok(None) };
        let admin =
            named("REELPIN_TEST_PULSAR_ADMIN").context("REELPIN_TEST_PULSAR_ADMIN is not set")?;
        let namespace = namespace(&admin, None).await?;
        Ok(Some(Self::Pulsar(pulsar::Config { url, token: None, ca: None, namespace })))
    }

    /// The queue of another process, as far as the implementation knows of several.
    pub(super) fn process(&self) -> Queue {
        match self {
            Self::InProcess(queue) => queue.clone(),
            Self::Pulsar(config) => Queue::pulsar(config.clone()),
        }
    }

    pub(super) fn config(&self) -> anyhow::Result<&pulsar::Config> {
        match self {
            Self::Pulsar(config) => Ok(config),
            Self::InProcess(_) => anyhow::bail!("no broker"),
        }
    }
}

/// Makes a namespace by the broker's HTTP API.
pub(super) async fn namespace(admin: &str, token: Option<&str>) -> anyhow::Result<String> {
    let namespace = format!("public/test-{}", Uuid::new_v4().simple());
    let mut request = http()
        .put(format!("{admin}/admin/v2/namespaces/{namespace}"))
        .header("content-type", "application/json")
        .body("{}");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let made = request.send().await?;
    ensure!(made.status().is_success(), "no namespace: {}", made.status());
    Ok(namespace)
}

/// A setting of the tests; when it is absent, that is told.
pub(super) fn named(name: &str) -> Option<String> {
    let value = std::env::vars().find(|(known, value)| known == name && !value.is_empty());
    if value.is_none() {
        println!("not run: the queue over Pulsar: {name} is not set");
    }
    value.map(|(_, value)| value)
}

pub(super) fn http() -> reqwest::Client {
    reelpin_schema::tls::provider();
    reqwest::Client::new()
}

/// The tests of a file: those for both implementations, and those for Pulsar alone.
macro_rules! over {
    (both: $($both:ident),*; pulsar: $($pulsar:ident),* $(,)?) => {
        #[allow(unused_imports, reason = "a file may have none")]
        mod in_process {
            use super::super::stand::Stand;
            $(#[tokio::test] async fn $both() -> anyhow::Result<()> {
                super::$both(Stand::in_process()).await
            })*
        }
        mod pulsar {
            use super::super::stand::Stand;
            $(#[tokio::test] async fn $both() -> anyhow::Result<()> {
                match Stand::pulsar().await? {
                    Some(stand) => super::$both(stand).await,
                    None => Ok(()),
                }
            })*
            $(#[tokio::test] async fn $pulsar() -> anyhow::Result<()> {
                match Stand::pulsar().await? {
                    Some(stand) => super::$pulsar(stand).await,
                    None => Ok(()),
                }
            })*
        }
    };
}
pub(super) use over;
