//! Pinning services: whether they let us in, and whether they could fetch what we ask them to keep.

use reelpin_schema::cid::{Cid, Codec};
use reelpin_schema::finding::{Finding, chain};
use reelpin_schema::ipfs::{Limits, Node};
use reelpin_schema::pinning::{self, Service, advice};
use reelpin_schema::settings;

pub(super) async fn tried(ipfs: Option<&settings::Ipfs>) -> Vec<Finding> {
    let named = ipfs.map_or(&[][..], |ipfs| &ipfs.services);
    let Some(ipfs) = ipfs.filter(|_| !named.is_empty()) else {
        let words = "REELPIN_PIN_SERVICES names none: films are pinned on one node alone";
        return vec![Finding::missing("services", words)];
    };
    // Where the node does not answer, its own section says so.
    let addresses = match Node::configured(ipfs, Limits::default()) {
        Ok(node) => node.addresses().await.unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    let mut found = Vec::new();
    for config in named {
        match Service::new(config, pinning::Limits::default()) {
            Ok(service) => found.extend(one(&service, &addresses).await),
            Err(e) => found.push(Finding::broken("services", chain(&e))),
        }
    }
    found
}

async fn one(service: &Service, addresses: &[String]) -> Vec<Finding> {
    let name = service.name();
    let nothing = Cid::of(Codec::Raw, b"");
    let mut found = vec![match service.find(nothing).await {
        Ok(_) => Finding::works("the service", format!("{name} lists our requests")),
        Err(e) => Finding::broken("the service", format!("{name}: {}", chain(&e))),
    }];
    found.push(match advice(name, addresses, service.is_near()) {
        Some(words) => Finding::missing("fetching from us", words),
        None => Finding::works("fetching from us", "the node has addresses that it can dial"),
    });
    found
}
