//! What addresses mean, as tables.

use tokio_postgres::config::SslMode;

use super::{Address, Host};

fn read(url: &str) -> String {
    match Address::read(url) {
        Ok(address) => {
            let mode = match address.pg.get_ssl_mode() {
                SslMode::Disable => "plain",
                SslMode::Prefer => "prefer",
                _ => "tls",
            };
            let trust = match address.trust.named {
                None => "anyone",
                Some(false) => "chain",
                Some(true) => "name",
            };
            let roots =
                address.trust.roots.map_or("system".into(), |path| path.display().to_string());
            let own = address.trust.own.map_or(String::new(), |(cert, key)| {
                format!(" as {} {}", cert.display(), key.display())
            });
            format!("{mode} {trust} {roots}{own}")
        }
        Err(e) => e.to_string(),
    }
}

#[test]
fn sslmode_means_what_it_means_to_libpq() {
    for (url, meaning) in [
        ("postgresql://root@h:26257/db", "prefer anyone system"),
        ("postgresql://root@h/db?sslmode=disable", "plain anyone system"),
        ("postgresql://root@h/db?sslmode=prefer&sslrootcert=/ca", "prefer anyone system"),
        ("postgresql://root@h/db?sslmode=require", "tls anyone system"),
        ("postgresql://root@h/db?sslmode=require&sslrootcert=/ca", "tls chain /ca"),
        ("postgresql://root@h/db?sslmode=verify-ca&sslrootcert=%2Fa%20b", "tls chain /a b"),
        ("postgresql://root@h/db?sslmode=verify-full", "tls name system"),
        ("postgresql://root@h/db?sslmode=verify-full&sslrootcert=system", "tls name system"),
        ("postgresql://root@h/db?sslrootcert=system", "tls name system"),
        (
            "postgres://root@h/db?sslcert=/c&sslkey=/k&sslmode=verify-full&sslrootcert=/ca",
            "tls name /ca as /c /k",
        ),
        ("postgresql://root@%2Frun%2Fpg/db", "plain anyone system"),
        ("host=/run/pg user=root", "plain anyone system"),
        ("host=h user=root sslmode=require", "tls anyone system"),
    ] {
        assert_eq!(read(url), meaning, "{url}");
    }
}

#[test]
fn what_cannot_be_read_is_told_without_a_password() {
    for (url, complaint) in [
        ("postgresql://root:hunter2@h/db?sslmode=hunter2", "sslmode cannot be that"),
        ("postgresql://root:hunter2@h/db?sslcert=/hunter2", "sslcert wants sslkey"),
        ("postgresql://root:hunter2@h/db?sslkey=/hunter2", "sslkey wants sslcert"),
        ("postgresql://root:hunter2@h/db?sslpassword=hunter2", "the key is not to be locked"),
        ("postgresql://root:hunter2@h/db?sslrootcert=%2", "neither a URL"),
        ("postgresql://root:hunter2@h/db?sslrootcert=/hunter2", "sslrootcert wants sslmode"),
        (
            "postgresql://root:hunter2@h/db?sslmode=require&sslrootcert=system",
            "sslrootcert=system wants sslmode=verify-full",
        ),
        ("postgresql://root:hunter2@h/db?sslmode=verify-ca", "sslmode=verify-ca wants sslrootcert"),
        ("postgresql://root:hunter2@h/db?hunter2", "neither a URL"),
        ("postgresql://root:hunter2@h:port/db", "neither a URL"),
        ("postgresql://root:hunter2@h/db?colour=hunter2", "neither a URL"),
        ("host=h password=hunter2 sslmode=verify-full", "neither a URL"),
        ("postgresql:///db?user=hunter2", "wants a host"),
        ("hunter2", "neither a URL"),
        ("", "wants a host"),
    ] {
        let said = read(url);
        assert!(said.contains(complaint), "{url}: {said}");
        assert!(!said.contains("hunter2"), "{url}: {said}");
        let debug = Address::read(url).map(|_| ()).map_err(|e| format!("{e:?}"));
        assert!(!format!("{debug:?}").contains("hunter2"), "{url}: {debug:?}");
    }
}

#[test]
fn hosts_options_and_passwords_come_through() {
    let url = "postgresql://me:a%40b?c@one:26257,two:26258/films?sslmode=disable\
               &options=--cluster%3Dshy-cat-1&connect_timeout=3";
    let pg = Address::read(url).unwrap().pg;
    let hosts = [Host::Tcp("one".into()), Host::Tcp("two".into())];
    assert_eq!(pg.get_hosts(), hosts);
    assert_eq!(pg.get_ports(), [26257, 26258]);
    assert_eq!(pg.get_options(), Some("--cluster=shy-cat-1"));
    assert_eq!(pg.get_password(), Some(b"a@b?c".as_slice()));
    assert_eq!(pg.get_dbname(), Some("films"));
    assert_eq!(pg.get_connect_timeout().map(std::time::Duration::as_secs), Some(3));
}
