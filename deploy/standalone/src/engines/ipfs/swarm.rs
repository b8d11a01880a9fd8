//! The half of the node that talks to others: where it listens, whom it looks for, and what they may
//! fetch, which is what the folder `shared` holds.
//!
//! A public node's part in the world's network cannot be tried in a test; what is tried is that two
//! nodes find each other, fetch what is published and nothing else.
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use rust_ipfs::builder::DefaultIpfsBuilder;
use rust_ipfs::{Ipfs, Keypair, Multiaddr};
use tokio::time::Instant;

use super::IpfsError;
use crate::engines::{Network, Options};

/// Kubo's swarm port, for a node that others should find again.
const PUBLIC_PORT: u16 = 4001;
/// How long an earlier node of this process may take to let go of the repository.
const REPO_FREE_WITHIN: Duration = Duration::from_secs(5);
const TRY_AGAIN: Duration = Duration::from_millis(50);
/// How long joining the public network may take before it is given up until the next start.
const BOOTSTRAP_WITHIN: Duration = Duration::from_secs(60);

/// Where a node listens and whom it looks for.
pub(super) struct Swarm {
    pub(super) network: Network,
    listen: Vec<Multiaddr>,
    /// The peers to begin with; empty for those of the public network.
    peers: Vec<Multiaddr>,
}

impl Swarm {
    /// As the options say: a private node listens on a free loopback port whatever they say.
    pub(super) fn of(options: &Options) -> Result<Self, IpfsError> {
        let any =
            [SocketAddr::from(([0; 4], PUBLIC_PORT)), SocketAddr::from(([0; 16], PUBLIC_PORT))];
        let listen = match (options.network, options.swarm_listen) {
            (Network::Private, _) => vec![SocketAddr::from(([127, 0, 0, 1], 0))],
            (Network::Public, Some(address)) => vec![address],
            (Network::Public, None) => any.to_vec(),
        };
        let listen = listen.into_iter().map(multiaddr).collect::<Result<_, _>>()?;
        let peers = options.swarm_peers.iter().map(|peer| parse(peer)).collect::<Result<_, _>>()?;
        Ok(Self { network: options.network, listen, peers })
    }
}

fn multiaddr(address: SocketAddr) -> Result<Multiaddr, IpfsError> {
    let kind = match address.ip() {
        IpAddr::V4(_) => "ip4",
        IpAddr::V6(_) => "ip6",
    };
    parse(&format!("/{kind}/{}/tcp/{}", address.ip(), address.port()))
}

fn parse(address: &str) -> Result<Multiaddr, IpfsError> {
    address.parse().map_err(|_| IpfsError::Address { address: address.to_owned() })
}

/// Looks for the first peers, and by them for others.
pub(super) async fn join(ipfs: &Ipfs, swarm: &Swarm) {
    let joining = async {
        if swarm.peers.is_empty() {
            ipfs.default_bootstrap().await?;
        }
        for peer in &swarm.peers {
            ipfs.add_bootstrap(peer.clone()).await?;
            ipfs.connect(peer.clone()).await?;
        }
        ipfs.bootstrap().await
    };
    match tokio::time::timeout(BOOTSTRAP_WITHIN, joining).await {
        Ok(Ok(())) => tracing::info!("the IPFS node joined its network"),
        Ok(Err(error)) => tracing::warn!(%error, "the IPFS node could not join its network"),
        Err(_) => tracing::warn!("the IPFS node did not join its network in time"),
    }
}

/// Starts rust-ipfs over the repository of what is shared.
pub(super) async fn start(key: &Keypair, repo: &Path, swarm: &Swarm) -> Result<Ipfs, IpfsError> {
    let deadline = Instant::now() + REPO_FREE_WITHIN;
    loop {
        let failed = match builder(key, repo, swarm)?.start().await {
            Ok(ipfs) => return Ok(ipfs),
            Err(error) => error,
        };
        // The data folder's lock is ours, so that it can only be our own earlier node that ends.
        let held = failed.chain().any(|cause| cause.is::<rust_ipfs::repo::LockError>());
        if !held || Instant::now() > deadline {
            return Err(IpfsError::Start(failed.into()));
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}

fn builder(key: &Keypair, repo: &Path, swarm: &Swarm) -> Result<DefaultIpfsBuilder, IpfsError> {
    let start = |error: io::Error| IpfsError::Start(error.into());
    let builder = DefaultIpfsBuilder::with_keypair(key)
        .map_err(start)?
        .with_identify(Default::default())
        .with_bitswap()
        .with_ping(Default::default())
        .enable_tcp()
        .set_path(repo)
        .add_listening_addrs(swarm.listen.clone());
    Ok(match swarm.network {
        Network::Private => builder,
        Network::Public => builder.with_kademlia().enable_dns(),
    })
}
