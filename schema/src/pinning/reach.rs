//! Which of a node's addresses a service can dial.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::wire::ORIGINS;

/// Of a peer's addresses, those that are of use to the other: what anyone can dial, or, for a service on
/// this machine (`near`), all of them. At most 20.
#[must_use]
pub fn dialable(addresses: &[String], near: bool) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for address in addresses.iter().filter(|address| near || is_public(address)) {
        if !told.contains(address) && told.len() < ORIGINS {
            told.push(address.clone());
        }
    }
    told
}

/// What the operator is to know of a node with these addresses before a service of this name is of
/// use; `None` when there is nothing to say.
#[must_use]
pub fn advice(service: &str, addresses: &[String], near: bool) -> Option<String> {
    if !dialable(addresses, near).is_empty() {
        return None;
    }
    let which = match addresses.is_empty() {
        true => "no address that others could dial",
        false => "only private or loopback addresses",
    };
    Some(format!(
        "the node has {which}: {service} cannot fetch from it unless the node itself can reach the \
         service; open the node's swarm port to the internet and let it announce its public address, \
         or, for the local node, set REELPIN_IPFS_NETWORK=public"
    ))
}

/// Whether anyone on the internet can dial a multiaddr, by its first parts: a public IP address, a
/// name, or a relay at one.
fn is_public(address: &str) -> bool {
    let mut parts = address.split('/').skip(1);
    match (parts.next(), parts.next()) {
        (Some("ip4"), Some(ip)) => ip.parse().is_ok_and(is_public_ip4),
        (Some("ip6"), Some(ip)) => ip.parse().is_ok_and(is_public_ip6),
        (Some("dns" | "dns4" | "dns6" | "dnsaddr"), Some(name)) => is_public_name(name),
        _ => false,
    }
}

/// By the registry of special-purpose addresses (RFC 6890 and its successors).
fn is_public_ip4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (18..20).contains(&b);
    let protocols = a == 192 && b == 0 && c == 0;
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        || ip.is_unspecified()
        || a == 0
        || a >= 240
        || shared
        || benchmark
        || protocols)
}

/// Global unicast (2000::/3) but for documentation; an IPv4 address in IPv6 form is what it carries.
fn is_public_ip6(ip: Ipv6Addr) -> bool {
    if let IpAddr::V4(ip) = IpAddr::V6(ip).to_canonical() {
        return is_public_ip4(ip);
    }
    let [first, second, ..] = ip.segments();
    first & 0xe000 == 0x2000 && (first, second) != (0x2001, 0x0db8)
}

fn is_public_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let inner = ["localhost", "local", "internal", "lan", "home.arpa"];
    name.contains('.')
        && !inner.iter().any(|end| name == *end || name.ends_with(&format!(".{end}")))
}
