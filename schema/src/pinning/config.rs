//! Which services there are: `REELPIN_PIN_SERVICES` and what is said of each.

use crate::pin::{NODE, Role};
use crate::secret::Secret;
use crate::settings::Source;

/// The setting that names them.
const NAMES: &str = "REELPIN_PIN_SERVICES";

/// The longest name of a service.
const NAME: usize = 20;

/// The most services.
const AT_MOST: usize = 16;

/// What a setting of one service ends with.
const ENDINGS: [&str; 3] = ["_ENDPOINT", "_TOKEN", "_ORIGINAL"];

/// One service.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its name, the target of its pins: `[a-z0-9-]{1,20}`, not `node`.
    pub name: String,
    /// URL to which `/pins` is appended.
    pub endpoint: String,
    /// Its bearer token.
    pub token: Secret,
    /// Whether it is given originals too.
    pub original: bool,
}

impl Config {
    /// Reads the services, for a node that is given originals or not. Whatever is wrong is refused in
    /// words, and that service left out.
    pub(crate) fn read(source: &mut Source, pin_original: bool) -> Vec<Self> {
        let mut services: Vec<Self> = Vec::new();
        for name in names(source) {
            if let Some(why) = wrong_name(&name, &services) {
                source.refuse(format!("{NAMES}: {name:?} {why}"));
                continue;
            }
            services.extend(Self::of(source, name, pin_original));
        }
        services
    }

    /// Refuses services where there is no node to fetch from.
    pub(crate) fn refuse(source: &mut Source) {
        if !names(source).is_empty() {
            source.refuse(format!(
                "{NAMES} is set, but no IPFS node: a service fetches every block from our own node; \
                 set REELPIN_IPFS_RPC too"
            ));
        }
    }

    /// Whether it is on this machine.
    pub(super) fn is_near(&self) -> bool {
        is_loopback(&self.endpoint)
    }

    fn of(source: &mut Source, name: String, pin_original: bool) -> Option<Self> {
        let [endpoint, token, original] = ENDINGS.map(|ending| setting(&name, ending));
        let (url, secret) = (source.want(&endpoint), source.want(&token));
        let gives = source.parse(&original, false, "true or false");
        if gives && !pin_original {
            source.refuse(format!(
                "{original} is true, but REELPIN_PIN_ORIGINAL is not: {name} could fetch no original \
                 from our node"
            ));
        }
        if url.is_empty() || secret.is_empty() {
            return None;
        }
        let url = url.trim_end_matches('/').to_owned();
        if !is_url(&url) {
            source.refuse(format!(
                "{endpoint} is not https://host/path (or http:// on this machine), without user, query \
                 or fragment"
            ));
            return None;
        }
        Some(Self { name, endpoint: url, token: Secret::new(secret), original: gives })
    }
}

/// Whether a setting's name is that of a service which [`NAMES`] names.
pub(crate) fn is_setting(source: &Source, name: &str) -> bool {
    name == NAMES
        || names(source).iter().any(|known| ENDINGS.iter().any(|end| setting(known, end) == name))
}

/// The place of the task that has a service keep what a role keeps: FNV-1a of the name (32 bits), so
/// that it stays when services come and go, and the role. The settings refuse two names of one place.
#[must_use]
pub fn place(target: &str, role: Role) -> i64 {
    let hash = target
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    i64::from(hash) * 2 + role.place()
}

fn names(source: &Source) -> Vec<String> {
    let names = source.get(NAMES).unwrap_or_default();
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn setting(name: &str, ending: &str) -> String {
    format!("REELPIN_PIN_{}{ending}", name.to_uppercase().replace('-', "_"))
}

fn wrong_name(name: &str, others: &[Config]) -> Option<&'static str> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.len() > NAME || !name.bytes().all(plain) {
        return Some("is not 1 to 20 of a-z, 0-9 and -");
    }
    if name == NODE {
        return Some("is the name of the IPFS node");
    }
    if others.len() >= AT_MOST {
        return Some("is one too many: there can be 16");
    }
    let mine = setting(name, "");
    let met = |other: &Config| {
        setting(&other.name, "") == mine
            || place(&other.name, Role::Published) == place(name, Role::Published)
    };
    others.iter().any(met).then_some("is there twice, or looks like another")
}

/// `https://`, or `http://` on loopback; nothing that a path could not be appended to.
fn is_url(url: &str) -> bool {
    let Ok(parsed) = reqwest::Url::parse(url) else { return false };
    let plain = parsed.username().is_empty()
        && parsed.password().is_none()
        && parsed.query().is_none()
        && parsed.fragment().is_none()
        && parsed.host_str().is_some();
    plain && (parsed.scheme() == "https" || (parsed.scheme() == "http" && is_loopback(url)))
}

fn is_loopback(url: &str) -> bool {
    let Ok(parsed) = reqwest::Url::parse(url) else { return false };
    let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
