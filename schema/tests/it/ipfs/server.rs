//! A server that speaks just enough HTTP to stand in for a node and to misbehave.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What came in.
pub(super) struct Request {
    /// From `/api/v0` on, without it; with the query.
    pub(super) target: String,
    /// The header lines.
    pub(super) head: String,
    /// The only field of the form, or nothing.
    pub(super) data: Vec<u8>,
}

/// What goes out.
pub(super) enum Answer {
    /// A status and a body.
    Status(u16, Vec<u8>),
    /// A body of which the last byte is missing when the connection ends.
    Torn(Vec<u8>),
    /// Nothing, and the connection stays.
    Hang,
}

impl Answer {
    pub(super) fn ok(body: &str) -> Self {
        Self::Status(200, body.into())
    }

    /// Kubo's form of an error.
    pub(super) fn error(message: &str) -> Self {
        let body = serde_json::json!({ "Message": message, "Code": 0, "Type": "error" });
        Self::Status(500, body.to_string().into())
    }
}

/// A running server; it ends when this is dropped.
pub(super) struct Server {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Server {
    pub(super) async fn start(
        answer: impl Fn(Request) -> Answer + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let answer = Arc::new(answer);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let answer = Arc::clone(&answer);
                connections.spawn(async move { drop(serve(stream, &*answer).await) });
            }
        });
        Ok(Self { address, _tasks: tasks })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn serve(mut stream: TcpStream, answer: &(dyn Fn(Request) -> Answer + Sync)) -> Result<()> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            break bytes.drain(..end + 4).collect::<Vec<u8>>();
        }
        more(&mut stream, &mut bytes).await?;
    };
    let head = String::from_utf8(head)?.to_lowercase();
    let told = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = told.map_or(Ok(0), str::parse)?;
    while bytes.len() < length {
        more(&mut stream, &mut bytes).await?;
    }
    let target = head.split(' ').nth(1).and_then(|path| path.strip_prefix("/api/v0"));
    let target = target.context("not a call")?.to_owned();
    let (status, length, body) = match answer(Request { target, data: field(&bytes)?, head }) {
        Answer::Status(status, body) => (status, body.len(), body),
        Answer::Torn(body) => (200, body.len() + 1, body),
        Answer::Hang => return std::future::pending().await,
    };
    let head =
        format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    Ok(stream.shutdown().await?)
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<()> {
    let read = stream.read_buf(bytes).await?;
    anyhow::ensure!(read > 0, "the client left");
    Ok(())
}

/// Takes the one field out of a form.
fn field(form: &[u8]) -> Result<Vec<u8>> {
    let Some(start) = find(form, b"\r\n\r\n") else { return Ok(Vec::new()) };
    let end = form.windows(4).rposition(|bytes| bytes == b"\r\n--").context("no boundary")?;
    Ok(form[start + 4..end].to_vec())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
