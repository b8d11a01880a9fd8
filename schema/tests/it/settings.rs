//! Settings from the environment and a file.

use std::path::PathBuf;

use expect_test::expect;
use reelpin_schema::settings::{Engines, Gateway, SettingsError, Source};

fn source(env: &[(&str, &str)], file: &str) -> Source {
    let env = env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    Source::new(env, Some(file)).unwrap()
}

#[test]
fn every_bad_value_is_told_at_once_and_no_secret_is() {
    let mut source = source(
        &[
            ("REELPIN_LISTEN", "0.0.0.0:80"),
            ("REELPIN_MEDIA_URL", "cdn.example"),
            ("REELPIN_S3_SECRET_KEY", "hush"),
            ("REELPIN_IPFS_RPC", "http://127.0.0.1:5001"),
            ("REELPIN_IPFS_RPC_AUTH", "hush"),
            ("REELPIN_JANITOR", "yes"),
            ("REELPIN_PULSAR_URL", "http://broker"),
            ("REELPIN_PULSAR_TOKEN", "hush"),
            ("REELPIN_PULSAR_NAMESPACE", "default"),
        ],
        "",
    );
    Gateway::read(&mut source, PathBuf::from("web"));
    Engines::read(&mut source);
    let Err(SettingsError::Values(sentences)) = source.done() else { panic!("it was accepted") };
    let told = sentences.join("\n");
    assert!(!told.contains("hush"));
    expect![[r#"
        REELPIN_LISTEN=0.0.0.0:80 is open to others: set REELPIN_API_KEY too, or listen on 127.0.0.1
        REELPIN_MEDIA_URL does not begin with http:// or https://
        REELPIN_JANITOR is not on, dry-run or off
        REELPIN_DATABASE_URL is not set
        REELPIN_S3_ENDPOINT is not set
        REELPIN_S3_BUCKET is not set
        REELPIN_S3_ACCESS_KEY is not set
        REELPIN_IPFS_RPC_AUTH is not user:password
        REELPIN_PIN_ORIGINAL is not set: say true or false, whether originals, with all that they tell of place and person, go to the IPFS node too
        REELPIN_PULSAR_URL is not pulsar://HOST:PORT or pulsar+ssl://HOST:PORT
        REELPIN_PULSAR_NAMESPACE is not TENANT/NAMESPACE"#]].assert_eq(&told);
}

#[test]
fn the_environment_wins_over_the_file() {
    let mut both =
        source(&[("REELPIN_LISTEN", "127.0.0.1:9000")], "listen = '127.0.0.1:1'\nweb = 'w'");
    let gateway = Gateway::read(&mut both, PathBuf::from("web"));
    assert_eq!(gateway.listen.port(), 9000);
    assert_eq!(gateway.web, PathBuf::from("w"));
    assert_eq!(gateway.public_url, "http://127.0.0.1:9000");
    assert_eq!(both.done(), Ok(()));
}

#[test]
fn misspelt_names_are_told() {
    let source =
        source(&[("REELPIN_LISTN", "x"), ("REELPIN_LISTEN", "y"), ("PATH", "z")], "dta = 1");
    assert_eq!(source.unknown(), ["REELPIN_LISTN", "REELPIN_DTA"]);
}

#[test]
fn a_secret_does_not_show_itself() {
    let mut all = source(
        &[
            ("REELPIN_DATABASE_URL", "postgresql://u:hush@h/d"),
            ("REELPIN_S3_ENDPOINT", "http://h"),
            ("REELPIN_S3_BUCKET", "b"),
            ("REELPIN_S3_ACCESS_KEY", "a"),
            ("REELPIN_S3_SECRET_KEY", "hush"),
            ("REELPIN_API_KEY", "hush"),
        ],
        "",
    );
    let engines = Engines::read(&mut all);
    let gateway = Gateway::read(&mut all, PathBuf::from("web"));
    assert!(!format!("{engines:?} {gateway:?}").contains("hush"));
}
