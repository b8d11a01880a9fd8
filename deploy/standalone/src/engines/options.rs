//! What the engines are told at their start, and what they tell their clients.
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::Secret;

/// Whether the IPFS node talks to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// Listens on loopback, looks for nobody: no bootstrap, no mDNS, no DHT.
    #[default]
    Private,
    /// Listens on every address, joins the public DHT and announces published roots there. Others
    /// can fetch what published roots reach, and nothing else that the node stores.
    Public,
}

/// What to start, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// Everything generated lives below this folder; it is made (mode 0700) where it is missing.
    pub data: PathBuf,
    /// The value of `PATH`, where PostgreSQL's programs are looked for first.
    pub search_path: OsString,
    /// The bucket's address; port 0 asks for a free one, as for the two below.
    pub s3_listen: SocketAddr,
    /// The address of the IPFS node's RPC.
    pub rpc_listen: SocketAddr,
    /// The address of the IPFS node's read-only gateway.
    pub ipfs_gateway_listen: SocketAddr,
    /// Whether the IPFS node talks to the world.
    pub network: Network,
    /// Where a public IPFS node listens for others; `None` for port 4001 of every address.
    pub swarm_listen: Option<SocketAddr>,
    /// The peers that a public IPFS node looks for first (`/ip4/../tcp/../p2p/..`); none for those
    /// of the public network.
    pub swarm_peers: Vec<String>,
    /// Origins of pages that may use the bucket from a browser, such as `http://127.0.0.1:8080`.
    pub allowed_origins: Vec<String>,
    /// Authorities (`host:port`) that Host may name besides the bound addresses and `localhost`.
    pub allowed_hosts: Vec<String>,
    /// Start the private PostgreSQL.
    pub want_postgres: bool,
    /// Start the bucket.
    pub want_s3: bool,
    /// Start the IPFS node with its RPC and gateway.
    pub want_ipfs: bool,
}

impl Options {
    /// All engines over `data`, on free loopback ports, talking to nobody.
    #[must_use]
    pub fn local(data: PathBuf, search_path: OsString) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            data,
            search_path,
            s3_listen: any,
            rpc_listen: any,
            ipfs_gateway_listen: any,
            network: Network::Private,
            swarm_listen: None,
            swarm_peers: Vec::new(),
            allowed_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            want_postgres: true,
            want_s3: true,
            want_ipfs: true,
        }
    }
}

/// How to reach what was started; `None` for what was not wanted.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    /// `postgresql://` URL over a Unix socket, with its password.
    pub database_url: Option<Secret>,
    /// The bucket.
    pub s3: Option<S3Endpoint>,
    /// The IPFS node.
    pub ipfs: Option<IpfsEndpoint>,
}

/// The bucket, addressed by path (`endpoint/bucket/key`).
#[derive(Debug, Clone)]
pub struct S3Endpoint {
    /// `http://host:port`, without a slash at its end.
    pub endpoint: String,
    /// The region that signatures name.
    pub region: String,
    /// The one bucket there is.
    pub bucket: String,
    /// The access key id.
    pub access_key: String,
    /// The secret key.
    pub secret_key: Secret,
}

/// The IPFS node.
#[derive(Debug, Clone)]
pub struct IpfsEndpoint {
    /// `http://host:port`; the calls are below `/api/v0`.
    pub rpc_url: String,
    /// User of the HTTP Basic credential that every call wants.
    pub rpc_user: String,
    /// Its password.
    pub rpc_password: Secret,
    /// `http://host:port`; files are below `/ipfs/<published root>`.
    pub gateway_url: String,
}
