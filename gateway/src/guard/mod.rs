//! Who may ask for what: Host on every request, Origin on whatever changes something, the key.

mod host;
mod key;
mod origin;

use std::net::SocketAddr;

use reelpin_schema::secret::Secret;
use reelpin_schema::settings;

use crate::GatewayError;

pub(crate) use host::check as host;
pub(crate) use key::{bearer, is_right, require as key, unauthorized};
pub(crate) use origin::{check as origin, refuse_foreign};

/// What requests are held against.
pub(crate) struct Guard {
    /// Our own origins: `https://videos.example`.
    origins: Vec<String>,
    /// Our own hosts with their ports: `videos.example:443`.
    hosts: Vec<(String, u16)>,
    key: Option<Secret>,
}

impl Guard {
    pub(crate) fn new(
        settings: &settings::Gateway,
        listen: SocketAddr,
    ) -> Result<Self, GatewayError> {
        let public = host::of_url("REELPIN_PUBLIC_URL", &settings.public_url)?;
        let media = host::of_url("REELPIN_MEDIA_URL", &settings.media_url)?;
        let port = listen.port();
        let mut hosts = vec![public.clone(), media];
        let ip = match listen {
            SocketAddr::V4(v4) => v4.ip().to_string(),
            SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
        };
        for name in [ip.as_str(), "localhost", "127.0.0.1", "[::1]"] {
            hosts.push((name.to_owned(), port));
        }
        // The page's own origin, under whichever of our names it was loaded from.
        let mut origins = vec![origin::of_url(&settings.public_url)];
        for name in ["localhost", "127.0.0.1", "[::1]"] {
            origins.push(origin::normal(&format!("http://{name}:{port}")));
        }
        Ok(Self { origins, hosts, key: settings.api_key.clone() })
    }

    pub(crate) fn needs_key(&self) -> bool {
        self.key.is_some()
    }
}
