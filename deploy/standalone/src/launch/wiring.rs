//! Which engines are local, and what the settings become once these have their addresses.

use std::net::SocketAddr;

use reelpin_schema::settings::{Gateway, Source};
use tokio::net::TcpListener;

use super::Options;
use crate::engines::{self, Endpoints, Network};

/// Default ports of the local engines, beside 8080 of page and API.
const S3: u16 = 8081;
const IPFS_RPC: u16 = 8082;
const IPFS_GATEWAY: u16 = 8083;

/// Puts the port that was really bound (for port 0) into the addresses that depend on it.
pub(super) fn listened(source: &Source, gateway: &mut Gateway, listener: &TcpListener) {
    let Ok(bound) = listener.local_addr() else { return };
    let guessed = format!("http://{}", gateway.listen);
    gateway.listen = bound;
    if source.get("REELPIN_PUBLIC_URL").is_none() {
        gateway.public_url = format!("http://{bound}");
    }
    if gateway.media_url == guessed {
        gateway.media_url.clone_from(&gateway.public_url);
    }
}

/// The engines that no setting names.
pub(super) fn local_engines(source: &mut Source, options: &Options) -> engines::Options {
    let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let what = "an address with a port, like 127.0.0.1:8081";
    let network = match source.get("REELPIN_IPFS_NETWORK").as_deref() {
        None | Some("private") => Network::Private,
        Some("public") => Network::Public,
        Some(_) => {
            source.refuse("REELPIN_IPFS_NETWORK is neither private nor public".to_owned());
            Network::Private
        }
    };
    let want_ipfs = source.get("REELPIN_IPFS_RPC").is_none();
    // Only a node of our own that talks to nobody may be given originals without being asked.
    if want_ipfs && network == Network::Private {
        source.fill("REELPIN_PIN_ORIGINAL", "true");
    }
    if want_ipfs && source.get("REELPIN_PIN_ORIGINAL").is_none() {
        source.refuse(
            "REELPIN_IPFS_NETWORK=public also wants REELPIN_PIN_ORIGINAL: say true or false, whether \
             originals, with all that they tell of place and person, may be fetched by others"
                .to_owned(),
        );
    }
    let swarm_listen = source.get("REELPIN_IPFS_SWARM_LISTEN").is_some();
    let swarm_listen = swarm_listen
        .then(|| source.parse("REELPIN_IPFS_SWARM_LISTEN", SocketAddr::from(([0; 4], 4001)), what));
    let swarm_peers = source.get("REELPIN_IPFS_SWARM_PEERS").unwrap_or_default();
    let swarm_peers = swarm_peers.split_whitespace().map(str::to_owned).collect();
    engines::Options {
        s3_listen: source.parse("REELPIN_S3_LISTEN", loopback(S3), what),
        rpc_listen: source.parse("REELPIN_IPFS_RPC_LISTEN", loopback(IPFS_RPC), what),
        ipfs_gateway_listen: source.parse(
            "REELPIN_IPFS_GATEWAY_LISTEN",
            loopback(IPFS_GATEWAY),
            what,
        ),
        network,
        swarm_listen,
        swarm_peers,
        want_postgres: source.get("REELPIN_DATABASE_URL").is_none(),
        want_s3: source.get("REELPIN_S3_ENDPOINT").is_none(),
        want_ipfs,
        ..engines::Options::local(options.data.clone(), options.search_path.clone())
    }
}

/// The same, open to the pages of this gateway, whose port is known now.
pub(super) fn for_pages(local: engines::Options, gateway: &Gateway) -> engines::Options {
    let port = gateway.listen.port();
    let allowed_origins = vec![
        gateway.public_url.clone(),
        format!("http://{}", gateway.listen),
        format!("http://localhost:{port}"),
    ];
    engines::Options { allowed_origins, ..local }
}

/// Tells the services where the local engines are, by the same settings that name others.
pub(super) fn fill(source: &mut Source, local: &Endpoints) {
    if let Some(url) = &local.database_url {
        source.fill("REELPIN_DATABASE_URL", url.expose());
    }
    if let Some(s3) = &local.s3 {
        source.fill("REELPIN_S3_ENDPOINT", &s3.endpoint);
        source.fill("REELPIN_S3_REGION", &s3.region);
        source.fill("REELPIN_S3_BUCKET", &s3.bucket);
        source.fill("REELPIN_S3_ACCESS_KEY", &s3.access_key);
        source.fill("REELPIN_S3_SECRET_KEY", s3.secret_key.expose());
    }
    if let Some(ipfs) = &local.ipfs {
        source.fill("REELPIN_IPFS_RPC", &ipfs.rpc_url);
        let auth = format!("{}:{}", ipfs.rpc_user, ipfs.rpc_password.expose());
        source.fill("REELPIN_IPFS_RPC_AUTH", auth);
        source.fill("REELPIN_IPFS_GATEWAY", &ipfs.gateway_url);
    }
}
