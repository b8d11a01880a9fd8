//! The settings: environment variables or a TOML file, the same names for every service.
//!
//! `REELPIN_S3_ENDPOINT` in the environment is `s3_endpoint` in the file that `REELPIN_CONFIG`
//! names; the environment wins. Every bad value is told at once, never a secret's content.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::queue::pulsar;
use crate::secret::Secret;
use crate::{bucket, db, pinning};

/// The most bytes that one PUT carries (S3 API reference), and so the largest upload for now.
pub const MAX_UPLOAD: u64 = 5 * 1024 * 1024 * 1024;

/// Every setting there is; the tests' own begin with [`TESTS`].
const KNOWN: &[&str] = &[
    "REELPIN_API_KEY",
    "REELPIN_CHROMIUM",
    "REELPIN_CONFIG",
    "REELPIN_DATA",
    "REELPIN_DATABASE_CONNECTIONS",
    "REELPIN_DATABASE_URL",
    "REELPIN_ENGINES",
    "REELPIN_ENGINES_PROGRAMS",
    "REELPIN_IPFS_GATEWAY",
    "REELPIN_IPFS_GATEWAY_LISTEN",
    "REELPIN_IPFS_NETWORK",
    "REELPIN_IPFS_RPC",
    "REELPIN_IPFS_RPC_AUTH",
    "REELPIN_IPFS_RPC_LISTEN",
    "REELPIN_IPFS_SWARM_LISTEN",
    "REELPIN_IPFS_SWARM_PEERS",
    "REELPIN_JANITOR",
    "REELPIN_LISTEN",
    "REELPIN_LOG",
    "REELPIN_MEDIA_URL",
    "REELPIN_PIN_ORIGINAL",
    "REELPIN_PUBLIC_URL",
    "REELPIN_PULSAR_CA",
    "REELPIN_PULSAR_NAMESPACE",
    "REELPIN_PULSAR_TOKEN",
    "REELPIN_PULSAR_URL",
    "REELPIN_S3_ACCESS_KEY",
    "REELPIN_S3_ADDRESSING",
    "REELPIN_S3_BUCKET",
    "REELPIN_S3_CORS",
    "REELPIN_S3_ENDPOINT",
    "REELPIN_S3_LISTEN",
    "REELPIN_S3_PUBLIC_ENDPOINT",
    "REELPIN_S3_REGION",
    "REELPIN_S3_SECRET_KEY",
    "REELPIN_S3_SESSION_TOKEN",
    "REELPIN_WEB",
    "REELPIN_WORK",
    "REELPIN_WORKER_NAME",
];

/// What the names of the tests' settings begin with.
const TESTS: &str = "REELPIN_TEST_";

/// What is wrong with the settings.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The file that `REELPIN_CONFIG` names is not TOML of plain values.
    #[error("the configuration file cannot be read: {0}")]
    File(String),
    /// One sentence for each value that is missing or cannot be used.
    #[error("{}", .0.join("\n"))]
    Values(Vec<String>),
}

/// Where values come from: the environment first, then the file.
pub struct Source {
    file: BTreeMap<String, String>,
    env: BTreeMap<String, String>,
    wrong: Vec<String>,
}

impl Source {
    /// Takes the variables of the environment and the text of the configuration file, if any.
    ///
    /// # Errors
    /// [`SettingsError::File`].
    pub fn new(
        env: impl IntoIterator<Item = (String, String)>,
        file: Option<&str>,
    ) -> Result<Self, SettingsError> {
        let table: toml::Table = file
            .unwrap_or_default()
            .parse()
            .map_err(|e: toml::de::Error| SettingsError::File(e.message().to_owned()))?;
        let mut values = BTreeMap::new();
        for (name, value) in table {
            let text = match value {
                toml::Value::String(s) => s,
                toml::Value::Integer(n) => n.to_string(),
                toml::Value::Boolean(b) => b.to_string(),
                _ => return Err(SettingsError::File(format!("{name} is not a plain value"))),
            };
            values.insert(format!("REELPIN_{}", name.to_uppercase()), text);
        }
        let env = env
            .into_iter()
            .filter(|(name, value)| name.starts_with("REELPIN_") && !value.is_empty())
            .collect();
        Ok(Self { file: values, env, wrong: Vec::new() })
    }

    /// A value as it is written; `None` when it is not set.
    pub fn get(&self, name: &str) -> Option<String> {
        self.env.get(name).or_else(|| self.file.get(name)).cloned()
    }

    /// Sets a value that is not set elsewhere.
    pub fn fill(&mut self, name: &str, value: impl Into<String>) {
        if self.get(name).is_none() {
            self.env.insert(name.to_owned(), value.into());
        }
    }

    /// A value that must be there.
    pub fn want(&mut self, name: &str) -> String {
        self.get(name).unwrap_or_else(|| {
            self.wrong.push(format!("{name} is not set"));
            String::new()
        })
    }

    /// A value of some type, or `default`.
    pub fn parse<T: std::str::FromStr>(&mut self, name: &str, default: T, what: &str) -> T {
        match self.get(name).map(|text| text.parse()) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                self.wrong.push(format!("{name} is not {what}"));
                default
            }
        }
    }

    /// Adds a sentence about a value that cannot be used.
    pub fn refuse(&mut self, sentence: String) {
        self.wrong.push(sentence);
    }

    /// What was refused so far, before anything is started by these settings.
    ///
    /// # Errors
    /// [`SettingsError::Values`] with every sentence.
    pub fn check(&self) -> Result<(), SettingsError> {
        if self.wrong.is_empty() { Ok(()) } else { Err(SettingsError::Values(self.wrong.clone())) }
    }

    /// Names that are set and that no part of Reelpin reads: most likely misspelt.
    pub fn unknown(&self) -> Vec<&str> {
        let names = self.env.keys().chain(self.file.keys()).map(String::as_str);
        names.filter(|name| !self.knows(name)).collect()
    }

    fn knows(&self, name: &str) -> bool {
        KNOWN.contains(&name) || name.starts_with(TESTS) || pinning::is_setting(self, name)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`SettingsError::Values`] with every sentence.
    pub fn done(self) -> Result<(), SettingsError> {
        if self.wrong.is_empty() { Ok(()) } else { Err(SettingsError::Values(self.wrong)) }
    }
}

/// The engines as the services reach them.
#[derive(Debug, Clone)]
pub struct Engines {
    /// The database.
    pub database: db::Config,
    /// The bucket.
    pub bucket: bucket::Config,
    /// The IPFS node; `None` leaves everything unpinned.
    pub ipfs: Option<Ipfs>,
    /// The queue; `None` keeps it within the process.
    pub queue: Option<pulsar::Config>,
}

/// The IPFS node as the services reach it.
#[derive(Debug, Clone)]
pub struct Ipfs {
    /// URL of its RPC.
    pub rpc: String,
    /// User and password of its RPC.
    pub credentials: Option<(String, Secret)>,
    /// URL of its gateway as browsers reach it.
    pub gateway: Option<String>,
    /// Whether originals are pinned too.
    pub pin_original: bool,
    /// Services that fetch from it what they are to keep.
    pub services: Vec<pinning::Config>,
}

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

/// What the transcoder needs beside the engines.
#[derive(Debug, Clone)]
pub struct Transcoder {
    /// Folder for work in progress.
    pub work: PathBuf,
    /// Name of this worker, for display.
    pub name: String,
}

impl Engines {
    /// Reads what a service of a cluster must be told: `REELPIN_DATABASE_URL` (and
    /// `_DATABASE_CONNECTIONS`), `REELPIN_S3_ENDPOINT`, `_PUBLIC_ENDPOINT`, `_ADDRESSING`, `_REGION`,
    /// `_BUCKET`, `_ACCESS_KEY`, `_SECRET_KEY`, `_SESSION_TOKEN`, and, when originals and published folders are to be pinned,
    /// `REELPIN_IPFS_RPC`, `_IPFS_RPC_AUTH` (`user:password`), `_IPFS_GATEWAY` and
    /// `REELPIN_PIN_ORIGINAL`, which has no default: nobody can recall what others fetched;
    /// `REELPIN_PIN_SERVICES` with `REELPIN_PIN_<NAME>_ENDPOINT`, `_TOKEN` and `_ORIGINAL` of each; and
    /// `REELPIN_PULSAR_URL`, `_PULSAR_TOKEN`, `_PULSAR_CA` and `_PULSAR_NAMESPACE`.
    pub fn read(source: &mut Source) -> Self {
        let url = source.want("REELPIN_DATABASE_URL");
        let connections = source.parse("REELPIN_DATABASE_CONNECTIONS", 16, "a number");
        let endpoint = source.want("REELPIN_S3_ENDPOINT").trim_end_matches('/').to_owned();
        let public_endpoint = source
            .get("REELPIN_S3_PUBLIC_ENDPOINT")
            .map_or_else(|| endpoint.clone(), |url| url.trim_end_matches('/').to_owned());
        let bucket = bucket::Config {
            endpoint,
            public_endpoint,
            addressing: source.parse(
                "REELPIN_S3_ADDRESSING",
                bucket::Addressing::Path,
                "path or virtual-host",
            ),
            region: source.get("REELPIN_S3_REGION").unwrap_or_else(|| "us-east-1".to_owned()),
            bucket: source.want("REELPIN_S3_BUCKET"),
            access_key: source.want("REELPIN_S3_ACCESS_KEY"),
            secret_key: Secret::new(source.want("REELPIN_S3_SECRET_KEY")),
            session_token: source.get("REELPIN_S3_SESSION_TOKEN").map(Secret::new),
        };
        let ipfs = source.get("REELPIN_IPFS_RPC").map(|rpc| Ipfs::read(source, rpc));
        if ipfs.is_none() {
            pinning::Config::refuse(source);
        }
        let queue = source.get("REELPIN_PULSAR_URL").map(|url| read_pulsar(source, url));
        Self { database: db::Config { url: Secret::new(url), connections }, bucket, ipfs, queue }
    }
}

fn read_pulsar(source: &mut Source, url: String) -> pulsar::Config {
    let host = url.strip_prefix("pulsar://").or_else(|| url.strip_prefix("pulsar+ssl://"));
    // One broker, or one name for several: the client knows no lists.
    if !host.is_some_and(|host| !host.is_empty() && !host.contains([',', '@', '/'])) {
        source.refuse(
            "REELPIN_PULSAR_URL is not pulsar://HOST:PORT or pulsar+ssl://HOST:PORT".to_owned(),
        );
    }
    let namespace = source.get("REELPIN_PULSAR_NAMESPACE");
    let namespace = namespace.unwrap_or_else(|| "public/default".to_owned());
    if !matches!(namespace.split_once('/'), Some((tenant, name))
        if !tenant.is_empty() && !name.is_empty() && !name.contains('/'))
    {
        source.refuse("REELPIN_PULSAR_NAMESPACE is not TENANT/NAMESPACE".to_owned());
    }
    pulsar::Config {
        url,
        token: source.get("REELPIN_PULSAR_TOKEN").map(Secret::new),
        ca: source.get("REELPIN_PULSAR_CA").map(PathBuf::from),
        namespace,
    }
}

impl Ipfs {
    fn read(source: &mut Source, rpc: String) -> Self {
        let credentials = source.get("REELPIN_IPFS_RPC_AUTH").and_then(|auth| {
            let pair = auth.split_once(':').map(|(u, p)| (u.to_owned(), Secret::new(p)));
            if pair.is_none() {
                source.refuse("REELPIN_IPFS_RPC_AUTH is not user:password".to_owned());
            }
            pair
        });
        if source.get("REELPIN_PIN_ORIGINAL").is_none() {
            source.refuse(
                "REELPIN_PIN_ORIGINAL is not set: say true or false, whether originals, with all \
                 that they tell of place and person, go to the IPFS node too"
                    .to_owned(),
            );
        }
        let pin_original = source.parse("REELPIN_PIN_ORIGINAL", false, "true or false");
        Self {
            services: pinning::Config::read(source, pin_original),
            rpc,
            credentials,
            gateway: source
                .get("REELPIN_IPFS_GATEWAY")
                .map(|url| url.trim_end_matches('/').to_owned()),
            pin_original,
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

impl Transcoder {
    /// Reads `REELPIN_WORK` and `REELPIN_WORKER_NAME`.
    pub fn read(source: &mut Source, default_work: PathBuf) -> Self {
        Self {
            work: source.get("REELPIN_WORK").map_or(default_work, PathBuf::from),
            name: source.get("REELPIN_WORKER_NAME").unwrap_or_else(|| "worker".to_owned()),
        }
    }
}
