//! The worker's own HTTP server, on 127.0.0.1 only: what is lent, to the programs it is lent to.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::answer::answer;
use super::lend::{Lent, Loan, Loans};
use super::{Shared, Source, SourceError};

/// The most open connections. A program has one or two, and a worker runs a few programs.
const CONNECTIONS: usize = 128;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 128;

/// Bytes that the kernel takes of an answer before its reader does: a program that jumps about
/// throws them away. The kernel doubles it.
const SEND_BUFFER: u32 = 256 << 10;

/// The longest that a request's head may take to arrive. Who says nothing for so long may be one of
/// our programs that stood still, so all that is lent counts as failed: a film must never be short.
const HEAD_WAIT: Duration = Duration::from_secs(120);

/// The pause after a failed accept: it is out of descriptors, mostly, and some will be closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The running server.
pub(super) struct Server {
    port: u16,
    loans: Arc<Loans>,
}

impl Server {
    pub(super) fn lend(&self, source: Arc<Source>, until: Option<i64>) -> Lent {
        Lent::new(Arc::clone(&self.loans), source, until, self.port)
    }
}

/// Listens on a free port, until the worker's sources end.
pub(super) async fn start(shared: &Shared) -> Result<Server, SourceError> {
    let (listener, port) = listen().map_err(|e| SourceError::Listen(Arc::new(e)))?;
    let loans = Arc::new(Loans::default());
    shared.tasks.spawn(serve(listener, port, Arc::clone(&loans), shared.stop.clone()));
    Ok(Server { port, loans })
}

fn listen() -> std::io::Result<(TcpListener, u16)> {
    let socket = TcpSocket::new_v4()?;
    // Accepted connections inherit it.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let listener = socket.listen(BACKLOG)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

async fn serve(listener: TcpListener, port: u16, loans: Arc<Loans>, stop: CancellationToken) {
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = open.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection panicked");
                    loans.fail_all();
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(_) if open.len() >= CONNECTIONS => {
                tracing::warn!("more than {CONNECTIONS} connections read originals");
                loans.fail_all();
            }
            Ok((stream, _)) => {
                open.spawn(connection(stream, port, Arc::clone(&loans)));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    open.shutdown().await;
}

/// One request. How long its answer may take is its reader's to say: a program stands still as
/// long as nobody takes what it writes. Its end is the loan's.
async fn connection(stream: TcpStream, port: u16, loans: Arc<Loans>) {
    let lent: OnceLock<Arc<Loan>> = OnceLock::new();
    let (told, found) = tokio::sync::oneshot::channel::<CancellationToken>();
    let told = std::sync::Mutex::new(Some(told));
    let service = service_fn(async |request| {
        let (answer, loan) = answer(&loans, port, &request);
        let told = told.lock().ok().and_then(|mut told| told.take());
        if let (Some(loan), Some(told)) = (loan, told) {
            let _ = told.send(loan.ended.clone());
            let _ = lent.set(loan);
        }
        Ok::<_, Infallible>(answer)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let ended = async {
        match found.await {
            Ok(ended) => ended.cancelled_owned().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = ended => {}
        served = served => {
            if let Err(error) = served {
                // Mostly a program that goes on reading elsewhere.
                tracing::trace!(%error, "a connection broke off");
                if lent.get().is_none() && error.is_timeout() {
                    loans.fail_all();
                }
            }
        }
    }
}
