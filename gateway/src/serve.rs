//! Connections: how many, how long they may take to speak and to listen, and how they end.

mod patience;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use patience::Patience;

/// How long answers that are under way may go on after the end was asked for.
pub(crate) const GRACE: Duration = Duration::from_secs(3);

/// The most open connections; more wait in the kernel's queue.
const CONNECTIONS: usize = 4096;

/// The longest that a request's head may take to arrive, and that an idle connection is kept.
const HEAD_WAIT: Duration = Duration::from_secs(30);

/// How long a client may take not one byte of its answer. A paused player's buffers are full long
/// before; it asks again for the rest.
const STALL: Duration = Duration::from_secs(120);

/// The pause after a failed accept: it is out of descriptors, mostly, and some will be closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `router` until `stop`, then lets answers that are under way end within [`GRACE`].
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: &CancellationToken,
) -> std::io::Result<()> {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = open.join_next() => continue,
            permit = permits.clone().acquire_owned() => permit,
        };
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(e) => {
                    tracing::warn!("a connection was not accepted: {e}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let (router, stop) = (router.clone(), stop.clone());
        open.spawn(async move {
            connection(stream, router, &stop).await;
            drop(permit);
        });
    }
    drop(listener);
    let ends = async { while open.join_next().await.is_some() {} };
    // What is left is aborted by dropping `open`.
    let _ = tokio::time::timeout(GRACE, ends).await;
    Ok(())
}

async fn connection(stream: TcpStream, router: Router, stop: &CancellationToken) {
    // Playlists and JSON are small and waited for.
    let _ = stream.set_nodelay(true);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT)
        .serve_connection(
            TokioIo::new(Patience::new(stream, STALL)),
            TowerToHyperService::new(router),
        )
        .with_upgrades();
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(e) = ended {
        tracing::debug!("a connection broke off: {e}");
    }
}
