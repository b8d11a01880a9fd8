//! What the gateway is told beside the engines.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::Source;
use crate::secret::Secret;

/// What the gateway needs beside the engines.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// Where it listens.
    pub listen: SocketAddr,
    /// URL of itself as browsers reach it, without a trailing slash.
    pub public_url: String,
    /// URL that `/video/...` playback addresses begin with: a CDN, or `public_url`.
    pub media_url: String,
    /// The key that guards whatever changes or lists.
    pub api_key: Option<Secret>,
    /// Folder of the web app.
    pub web: PathBuf,
    /// Whether it removes what nobody needs.
    pub janitor: Janitor,
    /// Whether it sets the bucket's CORS rules, where there are any, for its page.
    pub set_cors: bool,
}

/// What the gateway's janitor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Janitor {
    /// It removes what nobody needs.
    #[default]
    On,
    /// It says in the log what it would remove.
    DryRun,
    /// Nothing.
    Off,
}

impl std::str::FromStr for Janitor {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "on" => Ok(Self::On),
            "dry-run" => Ok(Self::DryRun),
            "off" => Ok(Self::Off),
            _ => Err(()),
        }
    }
}

impl Gateway {
    /// Reads `REELPIN_LISTEN`, `_PUBLIC_URL`, `_MEDIA_URL`, `_API_KEY`, `_WEB`, `_JANITOR` and `_S3_CORS`. Without
    /// a key no other address than loopback is bound.
    pub fn read(source: &mut Source, default_web: PathBuf) -> Self {
        let local = SocketAddr::from(([127, 0, 0, 1], 8080));
        let listen: SocketAddr =
            source.parse("REELPIN_LISTEN", local, "an address with a port, like 127.0.0.1:8080");
        let api_key = source.get("REELPIN_API_KEY").map(Secret::new);
        if !listen.ip().is_loopback() && api_key.is_none() {
            source.refuse(format!(
                "REELPIN_LISTEN={listen} is open to others: set REELPIN_API_KEY too, or listen on 127.0.0.1"
            ));
        }
        let trimmed = |url: String| url.trim_end_matches('/').to_owned();
        let public_url =
            source.get("REELPIN_PUBLIC_URL").map_or_else(|| format!("http://{listen}"), trimmed);
        let media_url = source.get("REELPIN_MEDIA_URL").map_or_else(|| public_url.clone(), trimmed);
        for (name, url) in [("REELPIN_PUBLIC_URL", &public_url), ("REELPIN_MEDIA_URL", &media_url)]
        {
            if !url.starts_with("http://") && !url.starts_with("https://") {
                source.refuse(format!("{name} does not begin with http:// or https://"));
            }
        }
        let web = source.get("REELPIN_WEB").map_or(default_web, PathBuf::from);
        let janitor = source.parse("REELPIN_JANITOR", Janitor::On, "on, dry-run or off");
        let set_cors = match source.get("REELPIN_S3_CORS").as_deref() {
            None | Some("set") => true,
            Some("leave") => false,
            Some(_) => {
                source.refuse("REELPIN_S3_CORS is neither set nor leave".to_owned());
                false
            }
        };
        Self { listen, public_url, media_url, api_key, web, janitor, set_cors }
    }
}
