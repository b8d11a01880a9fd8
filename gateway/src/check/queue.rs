//! The queue: whether a message comes back.

use reelpin_schema::ambient::Ambient;
use reelpin_schema::finding::{Finding, chain};
use reelpin_schema::queue::pulsar;

pub(super) async fn tried(pulsar: Option<&pulsar::Config>) -> Vec<Finding> {
    let what = "the broker";
    let Some(config) = pulsar else {
        let words = "REELPIN_PULSAR_URL is not set: services in other processes learn of work and \
                     events by looking at the database every second, not by being told";
        return vec![Finding::missing(what, words)];
    };
    vec![match pulsar::check(config, &Ambient::system()).await {
        Ok(words) => Finding::works(what, words),
        Err(e) => Finding::broken(what, chain(&e)),
    }]
}
