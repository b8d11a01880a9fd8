//! A running gateway with its engines, and the ways to talk to it.

mod film;
mod said;
mod socket;

use std::path::PathBuf;

use anyhow::Context as _;
use reelpin_gateway::{Config, Engines, GatewayError};
use reelpin_schema::ambient::Ambient;
use reelpin_schema::db::Db;
use reelpin_schema::queue::Queue;
use reelpin_schema::secret::Secret;
use reelpin_schema::settings;
use reelpin_testing::TestBucket;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use film::{Film, MP4};
pub(crate) use said::{Said, until};
pub(crate) use socket::Socket;

pub(crate) const KEY: &str = "a key of the tests";

/// What differs between tests.
#[derive(Clone, Default)]
pub(crate) struct Options {
    pub(crate) key: bool,
    /// Finished uploads are copied, as with an engine that ignores `If-None-Match`.
    pub(crate) copies: bool,
    pub(crate) media_url: Option<String>,
    pub(crate) public_url: Option<String>,
    pub(crate) janitor: settings::Janitor,
}

/// A running gateway; it ends when this is dropped.
pub(crate) struct Stage {
    pub(crate) url: String,
    pub(crate) port: u16,
    pub(crate) db: Db,
    pub(crate) bucket: TestBucket,
    pub(crate) queue: Queue,
    pub(crate) web: TempDir,
    pub(crate) http: reqwest::Client,
    pub(crate) stop: CancellationToken,
    tasks: JoinSet<Result<(), GatewayError>>,
}

impl Stage {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> anyhow::Result<Self> {
        let db = reelpin_testing::database().await?;
        let bucket = reelpin_testing::bucket().await?;
        let queue = Queue::in_process();
        let web = web()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let listen = listener.local_addr()?;
        let url = format!("http://{listen}");
        let public_url = options.public_url.unwrap_or_else(|| url.clone());
        let config = Config {
            settings: settings::Gateway {
                listen,
                media_url: options.media_url.unwrap_or_else(|| public_url.clone()),
                public_url,
                api_key: options.key.then(|| Secret::new(KEY)),
                web: web.path().to_owned(),
                janitor: options.janitor,
                set_cors: false,
            },
            ipfs_gateway: Some("http://127.0.0.1:8083".to_owned()),
            upload_endpoint: bucket.config.upload_endpoint(),
        };
        let engines = Engines {
            services: Default::default(),
            db: db.clone(),
            bucket: bucket.client.clone(),
            queue: queue.clone(),
            node: None,
            ambient: Ambient::system(),
            upload_once: !options.copies,
            own_node: false,
        };
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(reelpin_gateway::run(config, engines, listener, stop.clone()));
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { url, port: listen.port(), db, bucket, queue, web, http, stop, tasks })
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.tasks.join_next().await.context("no gateway")???;
        Ok(())
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Said> {
        self.say(self.request(Method::GET, path)).await
    }

    pub(crate) async fn get_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Said> {
        let request = self.request(Method::GET, path).headers(header_map(headers)?);
        self.say(request).await
    }

    pub(crate) async fn head_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Said> {
        let request = self.request(Method::HEAD, path).headers(header_map(headers)?);
        self.say(request).await
    }

    pub(crate) async fn post(&self, path: &str) -> anyhow::Result<Said> {
        self.say(self.request(Method::POST, path)).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> anyhow::Result<Said> {
        self.say(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Said> {
        self.say(self.request(Method::PATCH, path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> anyhow::Result<Said> {
        self.say(self.request(Method::DELETE, path)).await
    }

    /// Sends, and checks that a refusal is a problem that the API declares for this operation.
    pub(crate) async fn say(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Said> {
        let request = request.build()?;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let said = Said::read(self.http.execute(request).await?).await?;
        said.is_declared(&method, &path)?;
        Ok(said)
    }

    /// Speaks HTTP by hand: what no client would send.
    pub(crate) async fn raw(&self, text: &str) -> anyhow::Result<TcpStream> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_all(text.replace("PORT", &self.port.to_string()).as_bytes()).await?;
        Ok(stream)
    }

    /// The whole of a ticket's answer.
    pub(crate) async fn ticket(&self, filename: &str, size: usize) -> anyhow::Result<Value> {
        let body = serde_json::json!({ "filename": filename, "fileSize": size });
        let request = self.request(Method::POST, "/upload/video").bearer_auth(KEY).json(&body);
        let said = self.say(request).await?;
        anyhow::ensure!(said.status == 201, "ticket: {}", said.text());
        said.json()
    }

    /// PUTs as a browser would: exactly the ticket's headers.
    pub(crate) async fn put(&self, ticket: &Value, bytes: &[u8]) -> anyhow::Result<u16> {
        let url = ticket["presigned_url"].as_str().context("presigned_url")?;
        let mut request = self.http.put(url).body(bytes.to_vec());
        for (name, value) in ticket["headers"].as_object().context("headers")? {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        Ok(request.send().await?.status().as_u16())
    }

    /// The record, through the API.
    pub(crate) async fn record(&self, id: Uuid) -> anyhow::Result<Value> {
        let said = self.get(&format!("/video/{id}")).await?;
        anyhow::ensure!(said.status == 200, "record: {}", said.text());
        said.json()
    }

    pub(crate) async fn status(&self, id: Uuid) -> anyhow::Result<String> {
        Ok(self.record(id).await?["upload_status"].as_str().unwrap_or_default().to_owned())
    }

    /// A statement that no step of the product makes.
    pub(crate) async fn sql(&self, sql: &'static str, id: Uuid) -> anyhow::Result<()> {
        Ok(self.db.run_tx("test", async move |tx| tx.exec_one("a row", sql, &[&id]).await).await?)
    }
}

pub(crate) fn id_of(value: &Value) -> anyhow::Result<Uuid> {
    let id = value.get("video_id").or_else(|| value.get("id")).and_then(Value::as_str);
    Ok(id.context("no id")?.parse()?)
}

pub(crate) fn header_map(headers: &[(&str, &str)]) -> anyhow::Result<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(reqwest::header::HeaderName::try_from(*name)?, value.parse()?);
    }
    Ok(map)
}

/// A folder like the web app's.
fn web() -> anyhow::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("rp-web-").tempdir()?;
    for (name, text) in [
        ("index.html", "<!doctype html><title>Reelpin</title>"),
        ("main.js", "export const answer = 42; // long enough to be worth a gzip, a gzip, a gzip"),
        ("styles/base.css", "body { margin: 0 }"),
        ("package.json", "{}"),
        (".secret", "x"),
        (".git/config", "x"),
        ("tests/main.js", "x"),
        ("node_modules/hls.js/package.json", "{}"),
        ("node_modules/hls.js/dist/hls.mjs", "export default class Hls {}"),
        ("node_modules/hls.js/dist/hls.worker.js", "self.onmessage = () => {};"),
    ] {
        let path: PathBuf = folder.path().join(name);
        std::fs::create_dir_all(path.parent().context("no parent")?)?;
        std::fs::write(path, text)?;
    }
    Ok(folder)
}
