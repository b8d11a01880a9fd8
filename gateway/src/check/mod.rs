//! `reelpin-gateway check`: every engine tried with the given settings, as the services and pages
//! will use it, in words: what works, what is missing, and what that means.

mod database;
mod ipfs;
mod page;
mod queue;
mod services;

use std::fmt;
use std::time::Duration;

use reelpin_schema::finding::{Finding, Verdict};
use reelpin_schema::{bucket, settings};

/// The longest that one engine is tried, whatever its clients' own limits add up to.
const LIMIT: Duration = Duration::from_secs(120);

/// What was found out about one engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Which engine.
    pub engine: &'static str,
    /// What was tried, in order.
    pub findings: Vec<Finding>,
}

/// What was found out about all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report(pub Vec<Section>);

/// Tries every engine. What it stores it removes again; it sets the bucket's CORS rule where the
/// settings allow that, and migrates nothing.
pub async fn check(engines: &settings::Engines, gateway: &settings::Gateway) -> Report {
    let origins = crate::origins(gateway);
    let (database, bucket, queue, node, services) = tokio::join!(
        bounded("database", database::tried(&engines.database)),
        bounded("bucket", async {
            let mut found = bucket::trial(&engines.bucket, &origins, gateway.set_cors).await;
            found.extend(page::mixed(&engines.bucket, &origins));
            found
        }),
        bounded("queue", queue::tried(engines.queue.as_ref())),
        bounded("IPFS node", ipfs::tried(engines.ipfs.as_ref())),
        bounded("pinning services", services::tried(engines.ipfs.as_ref())),
    );
    Report(vec![database, bucket, queue, node, services])
}

async fn bounded(engine: &'static str, trial: impl Future<Output = Vec<Finding>>) -> Section {
    let findings = tokio::time::timeout(LIMIT, trial).await.unwrap_or_else(|_| {
        vec![Finding::broken("answers", format!("not all of it was answered within {LIMIT:?}"))]
    });
    Section { engine, findings }
}

impl Report {
    /// Whether Reelpin can work so: nothing is broken, whatever is missing.
    pub fn is_well(&self) -> bool {
        let mut all = self.0.iter().flat_map(|section| &section.findings);
        all.all(|finding| finding.verdict != Verdict::Broken)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Section { engine, findings } in &self.0 {
            writeln!(f, "{engine}")?;
            for Finding { what, verdict, words } in findings {
                writeln!(f, "  {verdict:<8} {what:<24} {words}")?;
            }
        }
        f.write_str(if self.is_well() {
            "Reelpin can work with these."
        } else {
            "Reelpin cannot work so: see what is broken."
        })
    }
}
