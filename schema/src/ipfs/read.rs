//! Getting content back from a node.

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use ipfs_api_prelude::Backend as _;

use super::requests::Cat;
use super::{IpfsError, Node};
use crate::cid::Cid;

impl Node {
    /// A file's bytes from `offset` on, at most `length` of them, in pieces as they come; each may
    /// take [`Limits::transfer`](super::Limits::transfer).
    ///
    /// Count them: where a node loses a block half-way, what Kubo sends just ends. A node that
    /// lacks the first block asks its network for it until the limit ends that.
    pub fn cat(
        &self,
        cid: Cid,
        offset: u64,
        length: Option<u64>,
    ) -> impl Stream<Item = Result<Bytes, IpfsError>> + Send + Unpin + use<> {
        let limit = self.limits.transfer;
        let query = Cat { arg: &cid.to_string(), offset, length };
        let pieces = match self.client.build_base_request(query, None) {
            Ok(request) => self
                .client
                .request_stream_bytes(request)
                .map_err(IpfsError::transport)
                .left_stream(),
            Err(error) => stream::iter([Err(IpfsError::transport(error))]).right_stream(),
        };
        Box::pin(stream::unfold(Some(pieces), move |pieces| async move {
            let mut pieces = pieces?;
            match tokio::time::timeout(limit, pieces.next()).await {
                Ok(Some(Ok(piece))) => Some((Ok(piece), Some(pieces))),
                Ok(Some(Err(error))) => Some((Err(error), None)),
                Ok(None) => None,
                Err(_) => Some((Err(IpfsError::TimedOut { call: "/cat", limit }), None)),
            }
        }))
    }
}
