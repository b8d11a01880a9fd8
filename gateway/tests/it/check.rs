//! `reelpin-gateway check`: engines that work, and engines that do not, in words.

use std::net::SocketAddr;

use expect_test::{Expect, expect};
use reelpin_gateway::check::check;
use reelpin_schema::bucket;
use reelpin_schema::db;
use reelpin_schema::secret::Secret;
use reelpin_schema::settings::{self, Janitor};

fn gateway() -> settings::Gateway {
    settings::Gateway {
        listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
        public_url: "http://127.0.0.1:8080".to_owned(),
        media_url: "http://127.0.0.1:8080".to_owned(),
        api_key: None,
        web: "web".into(),
        janitor: Janitor::Off,
        set_cors: true,
    }
}

async fn said(bucket: &bucket::Config, database: &str, expected: Expect) -> anyhow::Result<bool> {
    let url = Secret::new(database);
    let engines = settings::Engines {
        database: db::Config { url, connections: 4 },
        bucket: bucket.clone(),
        ipfs: None,
        queue: None,
    };
    let report = check(&engines, &gateway()).await;
    let port = bucket.endpoint.rsplit(':').next().unwrap_or_default().to_owned();
    let told = report.to_string().replace(&format!(":{port}"), ":PORT");
    let told: Vec<String> = told
        .lines()
        .map(|line| match line.split_once(" PostgreSQL ") {
            Some((before, _)) => format!("{before} PostgreSQL ..."),
            None => line.trim_end().to_owned(),
        })
        .collect();
    expected.assert_eq(&told.join("\n"));
    Ok(report.is_well())
}

#[tokio::test]
async fn engines_that_work_are_told_with_what_they_lack() -> anyhow::Result<()> {
    let bucket = reelpin_testing::bucket().await?;
    let database = reelpin_testing::postgres().await?;
    assert!(!said(&bucket.config, &database, expect![[r#"
        database
          works    the database             PostgreSQL ...
          works    schema                   of this version
        bucket
          works    the bucket               "reelpin" at http://127.0.0.1:PORT answers
          works    storing                  300000 bytes
          works    If-None-Match on PUT     a key is written once
          works    reading ranges           with If-Match, and the answer tells its place
          works    If-Match on GET          an original that changes is noticed by the server
          works    copying                  within the bucket
          works    listing                  by prefix, with sizes
          works    presigned uploads        to http://127.0.0.1:PORT
          works    uploads once             a used address cannot replace an upload
          works    upload sizes             an address admits the declared size alone
          broken   uploads by pages (CORS)  http://127.0.0.1:PORT answers 403 to a page of http://127.0.0.1:8080, and browsers will not upload, although the bucket's CORS rules allow it
          works    removing                 many at once, missing ones are no error
        queue
          missing  the broker               REELPIN_PULSAR_URL is not set: services in other processes learn of work and events by looking at the database every second, not by being told
        IPFS node
          missing  the node                 REELPIN_IPFS_RPC is not set: content ids are computed, but nothing is pinned
        pinning services
          missing  services                 REELPIN_PIN_SERVICES names none: films are pinned on one node alone
        Reelpin cannot work so: see what is broken."#]]).await?);
    let left = bucket.client.list("", None).await?;
    assert!(left.is_empty(), "{left:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_is_told_with_what_to_do() -> anyhow::Result<()> {
    let bucket = reelpin_testing::bucket().await?;
    let wrong = bucket::Config { secret_key: Secret::new("hush"), ..bucket.config.clone() };
    let nobody = "postgresql://reelpin:hush@127.0.0.1:1/reelpin";
    assert!(!said(&wrong, nobody, expect![[r#"
        database
          broken   the database             no connection to the database: Error occurred while creating a new object: error connecting to server: Connection refused (os error 111)
        bucket
          broken   the bucket               http://127.0.0.1:PORT refuses: access key, secret key, region (us-east-1) or the key's rights on "reelpin" are wrong, or the clocks differ
        queue
          missing  the broker               REELPIN_PULSAR_URL is not set: services in other processes learn of work and events by looking at the database every second, not by being told
        IPFS node
          missing  the node                 REELPIN_IPFS_RPC is not set: content ids are computed, but nothing is pinned
        pinning services
          missing  services                 REELPIN_PIN_SERVICES names none: films are pinned on one node alone
        Reelpin cannot work so: see what is broken."#]]).await?);
    let absent = bucket::Config { bucket: "films".to_owned(), ..bucket.config.clone() };
    assert!(!said(&absent, "nonsense", expect![[r#"
        database
          broken   the database             REELPIN_DATABASE_URL: it is neither a URL (postgresql://user@host:26257/database?sslmode=verify-full) nor key=value pairs
        bucket
          broken   the bucket               http://127.0.0.1:PORT has no bucket "films": make it, or name another
        queue
          missing  the broker               REELPIN_PULSAR_URL is not set: services in other processes learn of work and events by looking at the database every second, not by being told
        IPFS node
          missing  the node                 REELPIN_IPFS_RPC is not set: content ids are computed, but nothing is pinned
        pinning services
          missing  services                 REELPIN_PIN_SERVICES names none: films are pinned on one node alone
        Reelpin cannot work so: see what is broken."#]]).await?);
    let away = bucket::Config { endpoint: "http://127.0.0.1:1".to_owned(), ..bucket.config };
    assert!(!said(&away, "nonsense", expect![[r#"
        database
          broken   the database             REELPIN_DATABASE_URL: it is neither a URL (postgresql://user@host:26257/database?sslmode=verify-full) nor key=value pairs
        bucket
          broken   the bucket               nobody answers at http://127.0.0.1:PORT: HeadBucket: dispatch failure: io error: client error (Connect): tcp connect error: Connection refused (os error 111)
        queue
          missing  the broker               REELPIN_PULSAR_URL is not set: services in other processes learn of work and events by looking at the database every second, not by being told
        IPFS node
          missing  the node                 REELPIN_IPFS_RPC is not set: content ids are computed, but nothing is pinned
        pinning services
          missing  services                 REELPIN_PIN_SERVICES names none: films are pinned on one node alone
        Reelpin cannot work so: see what is broken."#]]).await?);
    Ok(())
}
