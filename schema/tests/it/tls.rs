//! TLS to a real PostgreSQL, by the parameters of its address.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use reelpin_schema::db::{Config, Db};
use reelpin_schema::secret::Secret;
use reelpin_testing::{Server, connect};

/// An authority and its certificate, PEM.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

fn authority(name: &str) -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem();
    Authority { issuer: Issuer::new(params, key), pem }
}

/// A certificate and its key, PEM: of a server by its host, of a client by its role.
fn certificate(by: &Authority, host: &[&str], role: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = host.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, role);
    params.extended_key_usages = match host {
        [] => vec![ExtendedKeyUsagePurpose::ClientAuth],
        _ => vec![ExtendedKeyUsagePurpose::ServerAuth],
    };
    (params.signed_by(&key, &by.issuer).unwrap().pem(), key.serialize_pem())
}

/// `who` comes in over TLS as they are, `certed` with a certificate; nobody without TLS.
const ENTRY: &str = "local all all trust\nhostssl all certed 127.0.0.1/32 cert\n\
                     hostssl all all 127.0.0.1/32 trust\n";

/// What comes of asking a database at this address: `fine`, or why not.
async fn ask(url: &str) -> String {
    let db = Db::new(&Config { url: Secret::new(url), connections: 1 });
    let asked = match db {
        Ok(db) => db.ping().await,
        Err(e) => Err(e),
    };
    match asked {
        Ok(()) => "fine".to_owned(),
        Err(e) => format!("{:#}", anyhow::Error::from(e)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_trusted_as_its_address_says() {
    let (ours, other) = (authority("ours"), authority("other"));
    let (certificate_, key) = certificate(&ours, &["localhost"], "server");
    let folder = tempfile::tempdir().unwrap();
    let write =
        |name: &str, content: &str| std::fs::write(folder.path().join(name), content).unwrap();
    write("ours", &ours.pem);
    write("other", &other.pem);
    write("empty", "");
    for (name, by, role) in
        [("certed", &ours, "certed"), ("nobody", &ours, "nobody"), ("forged", &other, "certed")]
    {
        let (certificate, key) = certificate(by, &[], role);
        write(name, &certificate);
        write(&format!("{name}-key"), &key);
    }
    let files = vec![
        ("server.crt", certificate_),
        ("server.key", key),
        ("root.crt", ours.pem.clone()),
        ("pg_hba.conf", ENTRY.to_owned()),
    ];
    let settings = &["ssl=on", "ssl_ca_file=root.crt"];
    let server = Server::start(files, settings).await.unwrap();
    let local = connect(&server.url()).unwrap();
    local
        .run_tx("test.role", async move |tx| tx.exec("CREATE ROLE certed LOGIN", &[]).await)
        .await
        .unwrap();

    let named = "postgres@localhost";
    let numbered = "postgres@127.0.0.1";
    let certed = "certed@localhost";
    let table = [
        (named, "", "fine"),
        (named, "sslmode=disable", "no pg_hba.conf entry"),
        (named, "sslmode=prefer", "fine"),
        (named, "sslmode=require", "fine"),
        (named, "sslmode=require&sslrootcert=$/other", "UnknownIssuer"),
        (named, "sslmode=verify-ca&sslrootcert=$/ours", "fine"),
        (numbered, "sslmode=verify-ca&sslrootcert=$/ours", "fine"),
        (named, "sslmode=verify-ca&sslrootcert=$/other", "UnknownIssuer"),
        (named, "sslmode=verify-full&sslrootcert=$/ours", "fine"),
        (numbered, "sslmode=verify-full&sslrootcert=$/ours", "not valid for name"),
        (named, "sslmode=verify-full&sslrootcert=$/other", "UnknownIssuer"),
        (named, "sslmode=verify-full", ""),
        (named, "sslmode=verify-full&sslrootcert=$/nothing", "cannot be read"),
        (named, "sslmode=verify-full&sslrootcert=$/empty", "no certificate"),
        (certed, "sslmode=require", "certificate"),
        (
            certed,
            "sslmode=verify-full&sslrootcert=$/ours&sslcert=$/certed&sslkey=$/certed-key",
            "fine",
        ),
        (
            certed,
            "sslmode=require&sslcert=$/nobody&sslkey=$/nobody-key",
            "certificate authentication failed",
        ),
        (certed, "sslmode=require&sslcert=$/forged&sslkey=$/forged-key", ""),
        (certed, "sslmode=require&sslcert=$/certed&sslkey=$/nobody-key", "cannot be used"),
    ];
    for (who, parameters, outcome) in table {
        let parameters = parameters.replace('$', &folder.path().to_string_lossy());
        let url = format!("postgresql://{who}:{}/postgres?{parameters}", server.port());
        let began = std::time::Instant::now();
        let said = ask(&url).await;
        assert!(said.contains(outcome), "{who} {parameters}: {said}");
        assert_eq!(said == "fine", outcome == "fine", "{who} {parameters}: {said}");
        // What cannot get better is told at once.
        assert!(outcome.is_empty() || began.elapsed().as_secs() < 3, "{who} {parameters}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_used_only_where_the_address_allows_it() {
    let server = Server::start(Vec::new(), &[]).await.unwrap();
    for (parameters, outcome) in [
        ("", "fine"),
        ("?sslmode=disable", "fine"),
        ("?sslmode=prefer", "fine"),
        ("?sslmode=require", "server does not support TLS"),
    ] {
        let url = format!("postgresql://postgres@127.0.0.1:{}/postgres{parameters}", server.port());
        let said = ask(&url).await;
        assert!(said.contains(outcome), "{parameters}: {said}");
    }
}
