//! An S3 server in process, over a temporary folder.

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use reelpin_schema::bucket::{Bucket, Config};
use reelpin_schema::secret::Secret;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const NAME: &str = "reelpin";
const ACCESS: &str = "tester";
const SECRET: &str = "tester-secret";

/// A running bucket; it ends when this is dropped.
pub struct TestBucket {
    /// How to reach it.
    pub config: Config,
    /// A client of it.
    pub client: Bucket,
    folder: TempDir,
    _server: JoinSet<()>,
}

impl TestBucket {
    /// The server's folder; an object lies at `<folder>/reelpin/<key>`.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

/// Starts an S3 server with one empty bucket.
///
/// # Errors
/// No temporary folder, or no free port.
pub async fn bucket() -> anyhow::Result<TestBucket> {
    let folder = tempfile::Builder::new().prefix("rp-s3-").tempdir()?;
    let files = reelpin_bucket::Bucket::open(folder.path(), NAME)?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(ACCESS, SECRET));
    let service = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let mut server = JoinSet::new();
    server.spawn(serve(listener, service));
    let config = Config {
        endpoint: endpoint.clone(),
        public_endpoint: endpoint,
        addressing: reelpin_schema::bucket::Addressing::Path,
        region: "us-east-1".to_owned(),
        bucket: NAME.to_owned(),
        access_key: ACCESS.to_owned(),
        secret_key: Secret::new(SECRET),
        session_token: None,
    };
    Ok(TestBucket { client: Bucket::new(&config), config, folder, _server: server })
}

async fn serve(listener: TcpListener, service: S3Service) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = open.join_next() => {}
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let service = service.clone();
                // As real ones do: else a small end of an answer waits 40 ms for an acknowledgement.
                let _ = stream.set_nodelay(true);
                open.spawn(async move {
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        }
    }
}
