//! The engines that the settings name.

use std::path::PathBuf;

use super::Source;
use crate::queue::pulsar;
use crate::secret::Secret;
use crate::{bucket, db, pinning};

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
