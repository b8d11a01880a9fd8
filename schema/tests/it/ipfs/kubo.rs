//! Our names and our client against a real Kubo, where an `ipfs` program is on the path. It is
//! alone: loopback only, no peers, a repository of its own.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use reelpin_schema::cid::{Checksum, Cid, Codec, Directory, File};
use reelpin_schema::ipfs::{IpfsError, Limits, Node, PinName};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::LIMITS;

#[tokio::test]
async fn kubo_agrees() -> Result<()> {
    let Some(kubo) = Kubo::start().await? else {
        println!("no program `ipfs`: not compared with Kubo");
        return Ok(());
    };
    let node = Node::new(&kubo.rpc, None, LIMITS)?;
    println!("Kubo {}", node.version().await?);

    let dir = tempfile::tempdir()?;
    let entries = [
        write(dir.path(), "480p/00000-abcdef.m4s", 2_500_000)?,
        write(dir.path(), "480p-abcdef.mp4", 1 << 20)?,
        write(dir.path(), "master.m3u8", 500)?,
        write(dir.path(), "empty", 0)?,
    ];
    for (path, file) in &entries {
        assert_eq!(kubo.add(&dir.path().join(path)).await?, file.cid.to_string(), "{path}");
    }
    let links = entries.iter().map(|(path, file)| (path, file.cid, file.dag_size));
    let folder = Directory::build(links)?;
    assert_eq!(kubo.add(dir.path()).await?, folder.cid.to_string());

    for (path, file) in &entries {
        let bytes = std::fs::read(dir.path().join(path))?;
        let pieces =
            bytes.chunks(300_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec().into()));
        assert_eq!(node.put_file(stream::iter(pieces), Some(file.cid)).await?, *file);
    }
    node.put_blocks(folder.blocks.clone()).await?;
    assert!(!node.is_pinned(folder.cid).await?);
    node.pin(folder.cid, PinName::Published).await?;
    node.pin(folder.cid, PinName::Published).await?;
    assert!(node.is_pinned(folder.cid).await?);
    assert!(!node.is_pinned(entries[0].1.cid).await?, "pinned only below another root");
    assert!(kubo.run(&["pin", "ls", "--names"]).await?.contains("recursive published"));

    let (path, file) = &entries[0];
    let read = node.cat(file.cid, (1 << 20) - 5, Some(10)).try_collect::<Vec<Bytes>>().await?;
    let at = (1 << 20) - 5;
    assert_eq!(read.concat(), std::fs::read(dir.path().join(path))?[at..at + 10]);

    node.unpin(folder.cid).await?;
    node.unpin(folder.cid).await?;
    assert!(!node.is_pinned(folder.cid).await?);
    Ok(())
}

#[tokio::test]
async fn kubo_shards_the_same_folders() -> Result<()> {
    let Some(kubo) = Kubo::start().await? else { return Ok(()) };
    let dir = tempfile::tempdir()?;
    let mut entries = Vec::new();
    for i in 0..4369 {
        entries.push(write(dir.path(), &format!("{i:05}-abcdef.m4s"), 1)?);
    }
    for extra in [None, Some("0")] {
        if let Some(path) = extra {
            entries.push(write(dir.path(), path, 1)?);
        }
        let links = entries.iter().map(|(path, file)| (path, file.cid, file.dag_size));
        let folder = Directory::build(links)?;
        assert_eq!(kubo.add(dir.path()).await?, folder.cid.to_string());
        assert_eq!(folder.blocks.len() > 1, extra.is_some());
    }
    Ok(())
}

#[tokio::test]
async fn kubo_without_the_blocks_is_asked_in_vain() -> Result<()> {
    let Some(kubo) = Kubo::start().await? else { return Ok(()) };
    let short = Duration::from_secs(1);
    let node = Node::new(&kubo.rpc, None, Limits { transfer: short, pin: short, ..LIMITS })?;
    let absent = Cid::of(Codec::DagPb, b"nobody has this");
    assert!(!node.has_block(absent).await?);
    assert!(!node.is_pinned(absent).await?);
    let pin = node.pin(absent, PinName::Original).await;
    assert!(matches!(pin, Err(IpfsError::TimedOut { call: "/pin/add", .. })), "{pin:?}");
    let cat = node.cat(absent, 0, None).try_collect::<Vec<_>>().await;
    assert!(matches!(cat, Err(IpfsError::TimedOut { call: "/cat", .. })), "{cat:?}");
    node.unpin(absent).await?;
    Ok(())
}

#[tokio::test]
async fn kubo_takes_our_credentials_and_nobody_else() -> Result<()> {
    let user = r#"{"reelpin":{"AuthSecret":"basic:reelpin:s3cret","AllowedPaths":["/api/v0"]}}"#;
    let Some(kubo) = Kubo::start_with(&["API.Authorizations", user]).await? else { return Ok(()) };
    Node::new(&kubo.rpc, Some(("reelpin", "s3cret")), LIMITS)?.version().await?;
    for other in [None, Some(("reelpin", "guess"))] {
        let refused = Node::new(&kubo.rpc, other, LIMITS)?.version().await;
        assert!(matches!(refused, Err(IpfsError::Forbidden { status: 403 })), "{refused:?}");
    }
    Ok(())
}

/// Writes a file and names it.
fn write(dir: &Path, path: &str, size: usize) -> Result<(String, File)> {
    let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
    let full = dir.join(path);
    std::fs::create_dir_all(full.parent().context("a file is in a folder")?)?;
    std::fs::write(full, &bytes)?;
    Ok((path.to_owned(), Checksum::of(&bytes).file))
}

/// A running daemon; it is killed when this is dropped.
struct Kubo {
    rpc: String,
    repo: TempDir,
    _daemon: Child,
}

impl Kubo {
    /// `None` where there is no Kubo.
    async fn start() -> Result<Option<Self>> {
        Self::start_with(&[]).await
    }

    /// With one setting: its name and its JSON.
    async fn start_with(setting: &[&str]) -> Result<Option<Self>> {
        let repo = tempfile::tempdir()?;
        let init = ["init", "--empty-repo", "--profile=test,unixfs-v1-2025"];
        match command(&repo, &init).output().await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
            Ok(output) => anyhow::ensure!(output.status.success(), "{output:?}"),
        }
        if !setting.is_empty() {
            let args = [&["config", "--json"], setting].concat();
            anyhow::ensure!(command(&repo, &args).status().await?.success(), "{setting:?}");
        }
        let mut daemon = command(&repo, &["daemon", "--routing=none"])
            .stdout(std::process::Stdio::null())
            .spawn()?;
        let ready = async {
            loop {
                // `/ip4/127.0.0.1/tcp/PORT`, written when the RPC listens.
                if let Ok(address) = std::fs::read_to_string(repo.path().join("api")) {
                    break Ok(address.rsplit('/').next().unwrap_or_default().trim().to_owned());
                }
                tokio::select! {
                    status = daemon.wait() => anyhow::bail!("Kubo ended: {}", status?),
                    () = tokio::time::sleep(Duration::from_millis(20)) => {}
                }
            }
        };
        let port = tokio::time::timeout(Duration::from_secs(60), ready).await??;
        Ok(Some(Self { rpc: format!("http://127.0.0.1:{port}"), repo, _daemon: daemon }))
    }

    /// What Kubo names a file or folder.
    async fn add(&self, path: &Path) -> Result<String> {
        let path = path.to_str().context("a path in UTF-8")?;
        Ok(self
            .run(&["add", "--only-hash", "--recursive", "--quieter", path])
            .await?
            .trim()
            .to_owned())
    }

    async fn run(&self, args: &[&str]) -> Result<String> {
        let output = command(&self.repo, args).output().await?;
        anyhow::ensure!(output.status.success(), "{output:?}");
        Ok(String::from_utf8(output.stdout)?)
    }
}

fn command(repo: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new("ipfs");
    command.args(args).env("IPFS_PATH", repo.path()).kill_on_drop(true);
    command
}
