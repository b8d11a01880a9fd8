//! One bounded HTTP/1.1 server per engine: time limits for heads and bodies, a stop that drains.
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt as _;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::EngineError;

/// A request's head must be there within this time; an idle connection lives as long.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest pause within a request's body. A browser on a bad line recovers within it.
const BODY_PAUSE: Duration = Duration::from_secs(60);
/// Open connections per listener; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 512;
/// What running requests get to finish when we stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Binds `address`; port 0 asks for a free one. The second value is where it really listens.
pub(super) async fn bind(
    what: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), EngineError> {
    let error = |source| EngineError::Bind { what, address, source };
    let listener = TcpListener::bind(address).await.map_err(error)?;
    let bound = listener.local_addr().map_err(error)?;
    Ok((listener, bound))
}

/// `http://host:port` for a client on this machine.
pub(super) fn url(bound: SocketAddr) -> String {
    let mut reached = bound;
    if bound.ip().is_unspecified() {
        reached.set_ip(match bound.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{reached}")
}

/// Serves until `stop`, then lets running requests finish for up to 5 s.
pub(super) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let router = router.layer(axum::middleware::from_fn(limit_body_pauses));
    let mut connections = JoinSet::new();
    loop {
        let full = connections.len() >= MAX_CONNECTIONS;
        tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = connections.join_next() => note(ended),
            accepted = listener.accept(), if !full => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone(), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        connections.shutdown().await;
    }
}

async fn connection(stream: TcpStream, router: Router, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection panicked");
    }
}

/// A body whose sender falls silent ends in an error, so that nobody can hold a connection for ever.
async fn limit_body_pauses(request: Request, next: Next) -> Result<Response, Infallible> {
    let (head, body) = request.into_parts();
    if axum::body::HttpBody::is_end_stream(&body) {
        return Ok(next.run(Request::from_parts(head, body)).await);
    }
    let chunks = futures_util::stream::unfold(body.into_data_stream(), async |mut chunks| {
        match tokio::time::timeout(BODY_PAUSE, chunks.next()).await {
            Ok(None) => None,
            Ok(Some(chunk)) => Some((chunk.map_err(io::Error::other), chunks)),
            Err(_) => Some((Err(io::ErrorKind::TimedOut.into()), chunks)),
        }
    });
    // Fused: whoever asks again after the end is told of it again.
    Ok(next.run(Request::from_parts(head, Body::from_stream(chunks.fuse()))).await)
}
