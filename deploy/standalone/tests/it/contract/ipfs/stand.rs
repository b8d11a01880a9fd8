//! A node to try things on.
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use reelpin_schema::ipfs::{Limits, Node};
use reelpin_standalone::engines::{Engines, Options};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

/// The limits of [`Stand::impatient`].
pub(super) const SHORT: Duration = Duration::from_secs(2);

/// One test at a time has Kubo: a collection would take what others are about to pin.
static KUBO: Mutex<()> = Mutex::const_new(());

/// A node and its client.
pub(super) struct Stand {
    pub(super) node: Node,
    /// A client that waits [`SHORT`] for what may take long.
    pub(super) impatient: Node,
    /// Whether it looks elsewhere for what it has not.
    pub(super) asks_the_network: bool,
    pub(super) rpc: String,
    pub(super) credentials: Option<(String, String)>,
    _local: Option<(Engines, TempDir)>,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Stand {
    /// The local node in a folder of its own.
    pub(super) async fn local() -> Self {
        let data = tempfile::Builder::new().prefix("reelpin-contract-").tempdir().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let options = Options::local(data.path().to_owned(), path);
        let options = Options { want_postgres: false, want_s3: false, ..options };
        let engines = Engines::start(options).await.unwrap();
        let at = engines.endpoints().ipfs.clone().unwrap();
        let credentials = Some((at.rpc_user, at.rpc_password.expose().to_owned()));
        Self::over(at.rpc_url, credentials, Some((engines, data)), None)
    }

    /// Kubo, or `None` (and a word about it) where the environment names none.
    pub(super) async fn kubo(test: &str) -> Option<Self> {
        let named =
            std::env::var_os("REELPIN_TEST_IPFS_RPC").and_then(|rpc| rpc.into_string().ok());
        let Some(rpc) = named else {
            println!("not run: {test} on Kubo: REELPIN_TEST_IPFS_RPC names no node");
            return None;
        };
        Some(Self::over(rpc, None, None, Some(KUBO.lock().await)))
    }

    fn over(
        rpc: String,
        credentials: Option<(String, String)>,
        local: Option<(Engines, TempDir)>,
        turn: Option<MutexGuard<'static, ()>>,
    ) -> Self {
        let known = credentials.as_ref().map(|(user, secret)| (user.as_str(), secret.as_str()));
        let node = |limits| Node::new(&rpc, known, limits).unwrap();
        let impatient = Limits { transfer: SHORT, pin: SHORT, ..Limits::default() };
        Self {
            node: node(Limits::default()),
            impatient: node(impatient),
            asks_the_network: local.is_none(),
            rpc,
            credentials,
            _local: local,
            _turn: turn,
        }
    }

    /// A call by hand: the status and the body.
    pub(super) async fn call(&self, call: &str, query: &[(&str, &str)]) -> (u16, Vec<u8>) {
        self.send(call, query, None).await
    }

    /// What the node itself calls a file, given our parameters; `None` where it cannot be asked.
    pub(super) async fn hash_only<S>(&self, content: S) -> Option<String>
    where
        S: Stream<Item = Result<Bytes, std::io::Error>> + Send + Sync + 'static,
    {
        if !self.asks_the_network {
            return None;
        }
        let query = [
            ("only-hash", "true"),
            ("cid-version", "1"),
            ("hash", "sha2-256"),
            ("raw-leaves", "true"),
            ("chunker", "size-1048576"),
            ("max-file-links", "1024"),
            ("progress", "false"),
        ];
        let piece = |text: &'static str| stream::iter([Ok(Bytes::from_static(text.as_bytes()))]);
        let front = "--limit\r\ncontent-disposition: form-data; name=\"path\"\r\n\
                     content-type: application/octet-stream\r\n\r\n";
        let form = piece(front).chain(content).chain(piece("\r\n--limit--\r\n"));
        let (status, body) = self.send("add", &query, Some(reqwest::Body::wrap_stream(form))).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
        Some(answer["Hash"].as_str().unwrap().to_owned())
    }

    async fn send(
        &self,
        call: &str,
        query: &[(&str, &str)],
        form: Option<reqwest::Body>,
    ) -> (u16, Vec<u8>) {
        let mut url = reqwest::Url::parse(&format!("{}/api/v0/{call}", self.rpc)).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let mut request = reqwest::Client::new().post(url);
        if let Some((user, secret)) = &self.credentials {
            request = request.basic_auth(user, Some(secret));
        }
        if let Some(form) = form {
            request = request.header("content-type", "multipart/form-data; boundary=limit");
            request = request.body(form);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }
}
