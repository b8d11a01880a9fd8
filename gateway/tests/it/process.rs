//! The program itself: its settings, its start and its end.

use std::process::{Command, Stdio};

use expect_test::expect;
use reelpin_schema::keys;
use reelpin_schema::settings::{Engines, Gateway, Source};
use reelpin_schema::video::{self, NewVideo};
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpListener;

use crate::scaffold::until;

const PROGRAM: &str = env!("CARGO_BIN_EXE_reelpin-gateway");

#[test]
fn everything_that_is_missing_is_said_at_once() -> anyhow::Result<()> {
    let ran = Command::new(PROGRAM)
        .env_clear()
        .envs([
            ("REELPIN_LISTEN", "0.0.0.0:80"),
            ("REELPIN_IPFS_RPC", "http://ipfs:5001"),
            ("REELPIN_IPFS_RPC_AUTH", "sesame"),
            ("REELPIN_S3_SECRET_KEY", "sesame"),
        ])
        .output()?;
    assert!(!ran.status.success());
    expect![[r#"
        Error: REELPIN_DATABASE_URL is not set
        REELPIN_S3_ENDPOINT is not set
        REELPIN_S3_BUCKET is not set
        REELPIN_S3_ACCESS_KEY is not set
        REELPIN_IPFS_RPC_AUTH is not user:password
        REELPIN_PIN_ORIGINAL is not set: say true or false, whether originals, with all that they tell of place and person, go to the IPFS node too
        REELPIN_LISTEN=0.0.0.0:80 is open to others: set REELPIN_API_KEY too, or listen on 127.0.0.1
    "#]].assert_eq(&String::from_utf8(ran.stderr)?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tidies_up_once_and_says_what_goes() -> anyhow::Result<()> {
    let url = reelpin_testing::postgres().await?;
    let (db, bucket) = (reelpin_testing::connect(&url)?, reelpin_testing::bucket().await?);
    let id = uuid::Uuid::now_v7();
    let new = NewVideo {
        id,
        file_id: id,
        title: String::new(),
        description: String::new(),
        filename: String::new(),
        file_path: keys::original(id, id),
        file_size: 1,
        ticket: time::Duration::HOUR,
        look_after: time::Duration::HOUR,
    };
    db.run_tx("test.deleted", async move |tx| {
        video::insert(tx, &new).await?;
        video::delete(tx, id).await
    })
    .await?;
    bucket.client.put(&keys::original(id, id), "x".into(), "video/mp4").await?;
    let ran = |words: &[&str]| {
        let ran = Command::new(PROGRAM)
            .args(words)
            .env_clear()
            .env("REELPIN_DATABASE_URL", &url)
            .env("REELPIN_S3_ENDPOINT", &bucket.config.endpoint)
            .env("REELPIN_S3_BUCKET", &bucket.config.bucket)
            .env("REELPIN_S3_ACCESS_KEY", &bucket.config.access_key)
            .env("REELPIN_S3_SECRET_KEY", bucket.config.secret_key.expose())
            .output();
        let (out, errors) = ran.map(|ran| (ran.stdout, ran.stderr))?;
        let errors = String::from_utf8(errors)?;
        let error = errors.lines().find(|line| line.starts_with("Error")).unwrap_or_default();
        let said = String::from_utf8(out)?.replace(&id.to_string(), "ID");
        anyhow::Ok(format!("{said}{error}"))
    };
    let dry =
        "would remove object orig/ID/ID (1 bytes): its video was deleted\nwould remove 1 in all\n";
    assert_eq!(ran(&["janitor", "--dry-run"])?, dry);
    assert_eq!(ran(&["janitor", "--dry-run"])?, dry);
    // Somebody else's janitor.
    db.run_tx("test.lead", async move |tx| {
        reelpin_schema::lease::hold(tx, "janitor", id, std::time::Duration::from_secs(600)).await
    })
    .await?;
    assert!(ran(&["janitor"])?.contains("a gateway's janitor is at work"));
    db.run_tx("test.leave", async move |tx| {
        reelpin_schema::lease::release(tx, "janitor", id).await
    })
    .await?;
    assert_eq!(ran(&["janitor"])?, dry.replace("would remove", "removed"));
    assert_eq!(ran(&["janitor"])?, "removed 0 in all\n");
    Ok(())
}

#[test]
fn settings_of_a_cluster() -> anyhow::Result<()> {
    let file = r#"
        database_url = "postgresql://db/reelpin"
        s3_endpoint = "https://s3.example/"
        s3_bucket = "films"
        s3_access_key = "access"
        s3_secret_key = "sesame"
        ipfs_rpc = "http://ipfs:5001"
        ipfs_rpc_auth = "user:sesame"
        ipfs_gateway = "https://ipfs.example/"
        pin_original = false
    "#;
    let env = [("REELPIN_S3_BUCKET".to_owned(), "from the environment".to_owned())];
    let mut source = Source::new(env, Some(file))?;
    let engines = Engines::read(&mut source);
    let gateway = Gateway::read(&mut source, "web".into());
    source.done()?;
    expect![[r#"
        Engines {
            database: Config {
                url: Secret(...),
                connections: 16,
            },
            bucket: Config {
                endpoint: "https://s3.example",
                public_endpoint: "https://s3.example",
                addressing: Path,
                region: "us-east-1",
                bucket: "from the environment",
                access_key: "access",
                secret_key: Secret(...),
                session_token: None,
            },
            ipfs: Some(
                Ipfs {
                    rpc: "http://ipfs:5001",
                    credentials: Some(
                        (
                            "user",
                            Secret(...),
                        ),
                    ),
                    gateway: Some(
                        "https://ipfs.example",
                    ),
                    pin_original: false,
                    services: [],
                },
            ),
            queue: None,
        }
        Gateway {
            listen: 127.0.0.1:8080,
            public_url: "http://127.0.0.1:8080",
            media_url: "http://127.0.0.1:8080",
            api_key: None,
            web: "web",
            janitor: On,
            set_cors: true,
        }
    "#]]
    .assert_eq(&format!("{engines:#?}\n{gateway:#?}\n"));
    Ok(())
}

#[tokio::test]
async fn starts_serves_and_ends_on_sigterm() -> anyhow::Result<()> {
    let (database, bucket) = (reelpin_testing::postgres().await?, reelpin_testing::bucket().await?);
    // Free a moment ago; nobody else on loopback asks for it in between.
    let listen = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let config = &bucket.config;
    let mut child = tokio::process::Command::new(PROGRAM)
        .env_clear()
        .env("REELPIN_DATABASE_URL", &database)
        .env("REELPIN_S3_ENDPOINT", &config.endpoint)
        .env("REELPIN_S3_BUCKET", &config.bucket)
        .env("REELPIN_S3_ACCESS_KEY", &config.access_key)
        .env("REELPIN_S3_SECRET_KEY", config.secret_key.expose())
        .env("REELPIN_LISTEN", listen.to_string())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let url = format!("http://{listen}/health/ready");
    let http = reqwest::Client::builder().no_proxy().build()?;
    until("the program to be ready", async || {
        let ready = http.get(&url).send().await.is_ok_and(|answer| answer.status() == 200);
        Ok(ready.then_some(()))
    })
    .await?;
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    kill_process(pid.ok_or_else(|| anyhow::anyhow!("it has ended"))?, Signal::TERM)?;
    let status = child.wait().await?;
    assert!(status.success(), "{status}");
    Ok(())
}
