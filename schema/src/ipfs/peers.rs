//! Where a node can be dialled, and whom it dials.

use super::{IpfsError, Node};

impl Node {
    /// The addresses at which the node says that it can be dialled, each with its peer id.
    ///
    /// # Errors
    /// Any [`IpfsError`] of a call.
    pub async fn addresses(&self) -> Result<Vec<String>, IpfsError> {
        self.blocks.addresses().await
    }

    /// Has the node connect to a peer by its multiaddr.
    ///
    /// # Errors
    /// [`IpfsError::Refused`] also when the peer cannot be reached, or when this node cannot be told to
    /// dial; any other [`IpfsError`] of a call.
    pub async fn connect(&self, peer: &str) -> Result<(), IpfsError> {
        self.blocks.connect(peer).await
    }
}
