//! A client of the feed.

use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::Stage;

/// The longest that anything of the feed may take.
const WAIT: Duration = Duration::from_secs(20);

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn open(stage: &Stage, query: &str) -> anyhow::Result<Self> {
        Self::open_with(stage, query, &[]).await?.map_err(|said| anyhow::anyhow!("{said}"))
    }

    /// Opens it, or says how it was refused: `401 unauthorized`.
    pub(crate) async fn open_with(
        stage: &Stage,
        query: &str,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Result<Self, String>> {
        let url = format!("{}/ws{query}", stage.url.replace("http://", "ws://"));
        let mut request = url.into_client_request()?;
        for (name, value) in super::header_map(headers)? {
            request.headers_mut().insert(name.context("a header's name")?, value);
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(Ok(Self(socket))),
            Err(Error::Http(response)) => {
                let body: Value =
                    serde_json::from_slice(response.body().as_deref().unwrap_or_default())?;
                let code = body["code"].as_str().unwrap_or("-");
                Ok(Err(format!("{} {code}", response.status().as_u16())))
            }
            Err(e) => Err(e.into()),
        }
    }

    pub(crate) async fn say(&mut self, message: &Value) -> anyhow::Result<()> {
        Ok(self.0.send(Message::text(message.to_string())).await?)
    }

    pub(crate) async fn say_raw(&mut self, message: Message) -> anyhow::Result<()> {
        Ok(self.0.send(message).await?)
    }

    /// The next message of the feed.
    pub(crate) async fn hear(&mut self) -> anyhow::Result<Value> {
        loop {
            match self.next().await? {
                Some(Message::Text(text)) => return Ok(serde_json::from_str(&text)?),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => bail!("heard {other:?}"),
            }
        }
    }

    /// The next message in short: `event 3 planned`, `snapshot 2 uploaded`.
    pub(crate) async fn brief(&mut self) -> anyhow::Result<String> {
        let said = self.hear().await?;
        let word = |name: &str| match &said[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Ok(match said["type"].as_str().unwrap_or_default() {
            "snapshot" => format!("snapshot {} {}", word("seq"), word("upload_status")),
            "event" => format!("event {} {}", word("seq"), word("name")),
            "progress" => format!("progress {} {}", word("percent"), word("rungs")),
            "error" => format!("error {}", word("code")),
            other => other.to_owned(),
        })
    }

    pub(crate) async fn briefs(&mut self, count: usize) -> anyhow::Result<Vec<String>> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(self.brief().await.with_context(|| format!("after {all:?}"))?);
        }
        Ok(all)
    }

    /// The close code, whatever comes before it; `None` when the connection just ended.
    pub(crate) async fn closed(&mut self) -> anyhow::Result<Option<u16>> {
        loop {
            match self.next().await {
                Ok(Some(Message::Close(frame))) => return Ok(frame.map(|f| f.code.into())),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return Ok(None),
            }
        }
    }

    async fn next(&mut self) -> anyhow::Result<Option<Message>> {
        let next = tokio::time::timeout(WAIT, self.0.next()).await.context("nothing was heard")?;
        Ok(next.transpose()?)
    }
}
