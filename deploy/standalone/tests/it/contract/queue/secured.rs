//! A broker that wants TLS and a token.

use anyhow::{Context as _, ensure};
use reelpin_schema::ambient::Ambient;
use reelpin_schema::queue::pulsar::{Config, check};
use reelpin_schema::queue::{Heard, Queue};
use reelpin_schema::secret::Secret;
use uuid::Uuid;

use super::stand::{named, namespace};
use super::{SOON, heard, hint};

/// Who may do everything, over TLS, in a namespace of its own.
async fn admitted() -> anyhow::Result<Option<Config>> {
    let Some(url) = named("REELPIN_TEST_PULSAR_TLS_URL") else { return Ok(None) };
    let admin = named("REELPIN_TEST_PULSAR_TLS_ADMIN").context("no admin")?;
    let token = named("REELPIN_TEST_PULSAR_TLS_TOKEN").context("no token")?;
    let ca = named("REELPIN_TEST_PULSAR_TLS_CA").context("no certificates")?;
    let namespace = namespace(&admin, Some(&token)).await?;
    let token = Some(Secret::new(token));
    Ok(Some(Config { url, token, ca: Some(ca.into()), namespace }))
}

#[tokio::test]
async fn hints_pass_over_tls_with_a_token() -> anyhow::Result<()> {
    let Some(config) = admitted().await? else { return Ok(()) };
    let words = check(&config, &Ambient::system()).await?;
    ensure!(words.starts_with("the queue works: "), "{words}");
    let (gateway, worker) = (Queue::pulsar(config.clone()), Queue::pulsar(config));
    let (mut hints, mut feed) = (worker.task_hints(), gateway.status_hints());
    ensure!(heard(&mut feed, SOON).await == Some(Heard::Missed));
    let video = Uuid::new_v4();
    ensure!(gateway.task_ready().await && worker.video_changed(video).await);
    ensure!(hint(&mut hints, SOON).await.is_some());
    ensure!(hint(&mut feed, SOON).await.is_some_and(|hint| hint.video_id == video));
    Ok(())
}

/// Whoever set something wrong reads which setting it was, and no token.
#[tokio::test]
async fn what_is_wrong_is_told_by_its_setting() -> anyhow::Result<()> {
    let Some(config) = admitted().await? else { return Ok(()) };
    let stranger = named("REELPIN_TEST_PULSAR_TLS_STRANGER").context("no stranger")?;
    let plain = named("REELPIN_TEST_PULSAR_TLS_PLAIN_URL").context("no plain port")?;
    let with = |token: &str| Config { token: Some(Secret::new(token)), ..config.clone() };
    let ssl_on_plain = plain.replace("pulsar://", "pulsar+ssl://");
    let table = [
        (Config { ca: None, ..config.clone() }, "REELPIN_PULSAR_CA"),
        (Config { ca: Some("/nowhere/ca.pem".into()), ..config.clone() }, "/nowhere/ca.pem"),
        (Config { token: None, ..config.clone() }, "REELPIN_PULSAR_TOKEN"),
        (with("gar.ba.ge"), "REELPIN_PULSAR_TOKEN"),
        (with(&stranger), "REELPIN_PULSAR_TOKEN"),
        (Config { url: ssl_on_plain.clone(), ..config.clone() }, "REELPIN_PULSAR_CA"),
        (Config { url: "pulsar://127.0.0.1:9".to_owned(), ..config.clone() }, "127.0.0.1:9"),
    ];
    for (wrong, name) in table {
        let token = wrong.token.clone();
        let words = check(&wrong, &Ambient::system()).await.err().context("it worked")?.to_string();
        println!("{words}");
        ensure!(words.contains(name), "{name} is not named: {words}");
        ensure!(!token.is_some_and(|token| words.contains(token.expose())), "a token was told");
    }
    // Without TLS the token alone lets in, on the port that speaks plainly.
    check(&Config { url: plain, ca: None, ..config }, &Ambient::system()).await?;
    Ok(())
}
