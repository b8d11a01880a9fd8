//! The IPFS node: an embedded node with the part of Kubo's RPC that we use, and a gateway that serves
//! published roots and nothing else.
mod car;
mod dag;
mod earlier;
mod file;
mod gateway;
mod node;
mod resolve;
mod roots;
mod rpc;
mod store;
mod swarm;
mod tree;
mod withdrawn;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use axum::Router;

pub(super) use self::node::Node;
use self::swarm::Swarm;
use super::host::Hosts;
use super::{IpfsEndpoint, Options, secret, serve};

/// The user of the RPC's credential.
const RPC_USER: &str = "reelpin";

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the node did not start.
#[derive(Debug, thiserror::Error)]
pub enum IpfsError {
    /// A file or folder of the node cannot be used.
    #[error("cannot use {path}: {source}")]
    Storage {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The kept identity is no key.
    #[error("{path} does not hold the node's key; remove it to give the node a new identity")]
    Identity {
        /// The key file.
        path: PathBuf,
    },
    /// No address of a peer or listener.
    #[error("{address:?} is no address like /ip4/192.0.2.1/tcp/4001/p2p/<peer id>")]
    Address {
        /// What was given.
        address: String,
    },
    /// The node itself refused to start.
    #[error("the node did not start: {0}")]
    Start(#[source] Cause),
}

impl IpfsError {
    fn storage(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Storage { path, source }
    }
}

/// What a start hands to the engines.
pub(super) struct Started {
    pub(super) node: Node,
    pub(super) endpoint: IpfsEndpoint,
    pub(super) rpc: Router,
    pub(super) gateway: Router,
}

/// Opens the node in the folder `home`; its key and credential are kept in the folder `secrets`.
pub(super) async fn start(
    home: &Path,
    secrets: &Path,
    rpc_bound: SocketAddr,
    gateway_bound: SocketAddr,
    options: &Options,
) -> Result<Started, IpfsError> {
    let password_file = secrets.join("ipfs-rpc");
    let password = secret::kept_hex(&password_file).map_err(IpfsError::storage(&password_file))?;
    let swarm = Swarm::of(options)?;
    let node = Node::open(home, &secrets.join("ipfs-identity"), swarm).await?;
    let rpc = rpc::router(
        node.clone(),
        rpc::Credential::basic(RPC_USER, password.expose()),
        Hosts::of(rpc_bound, &options.allowed_hosts),
    );
    let gateway = gateway::router(node.clone(), Hosts::of(gateway_bound, &options.allowed_hosts));
    let endpoint = IpfsEndpoint {
        rpc_url: serve::url(rpc_bound),
        rpc_user: RPC_USER.to_owned(),
        rpc_password: password,
        gateway_url: serve::url(gateway_bound),
    };
    Ok(Started { node, endpoint, rpc, gateway })
}
