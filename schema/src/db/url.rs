//! Addresses of databases, as PostgreSQL's and CockroachDB's tools write them: what tokio-postgres
//! knows, and the parameters about TLS that it does not.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode};

use super::secure::{SecureError, Trust};

/// Why an address cannot be used. No message holds a value of it: it may be a password.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    /// Neither a URL nor pairs of keys and values.
    #[error(
        "it is neither a URL (postgresql://user@host:26257/database?sslmode=verify-full) nor key=value pairs"
    )]
    Form,
    /// A parameter that stands for nothing.
    #[error("the parameter '{0}' is not known")]
    Unknown(&'static str),
    /// A parameter with a value that it cannot have.
    #[error("{0} cannot be that; {1}")]
    Value(&'static str, &'static str),
    /// One parameter without another that belongs to it.
    #[error("{0} wants {1}")]
    Alone(&'static str, &'static str),
    /// The files of TLS.
    #[error(transparent)]
    Secure(#[from] SecureError),
}

/// Where a database is, and how it is to be trusted.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) pg: tokio_postgres::Config,
    pub(super) trust: Trust,
}

/// What tells that a connection is dead when nothing comes back: silence before the first probe,
/// between two, and how many are in vain. libpq leaves all of it to the kernel (2 h).
const IDLE: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;

/// How long bytes that were sent may stay unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);

const CONNECT: Duration = Duration::from_secs(5);

const MODES: &str = "it is one of disable, allow, prefer, require, verify-ca, verify-full";

/// Our parameters; everything else is left to tokio-postgres.
#[derive(Debug, Default)]
struct Files {
    mode: Option<String>,
    roots: Option<String>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl Address {
    /// Reads a URL, or the key=value pairs of libpq (those know `sslmode` up to `require` only).
    ///
    /// `sslmode` means what it means to libpq: up to `require` nobody looks at the server's certificate,
    /// unless `sslrootcert` is given. `verify-full` without `sslrootcert`, or with `system`, trusts the
    /// roots of the operating system; `system` means `verify-full` and nothing less. What would verify
    /// less than it seems to is refused: `verify-ca` by the roots of all the world, and a
    /// `sslrootcert` that no mode looks at.
    ///
    /// # Errors
    /// [`UrlError`].
    pub(super) fn read(text: &str) -> Result<Self, UrlError> {
        let (rest, files) = take(text)?;
        let mut pg: tokio_postgres::Config = rest.parse().map_err(|_| UrlError::Form)?;
        if pg.get_hosts().is_empty() && pg.get_hostaddrs().is_empty() {
            return Err(UrlError::Alone("the address", "a host"));
        }
        let local = pg.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)))
            && pg.get_hostaddrs().is_empty();
        let (mode, trust) = files.meaning(pg.get_ssl_mode())?;
        // There is no TLS over a local socket.
        pg.ssl_mode(if local { SslMode::Disable } else { mode });
        let told = |name: &str| rest.contains(name);
        pg.application_name("reelpin");
        if !told("connect_timeout") {
            pg.connect_timeout(CONNECT);
        }
        if !told("keepalives") {
            pg.keepalives_idle(IDLE).keepalives_interval(INTERVAL).keepalives_retries(PROBES);
        }
        if !told("tcp_user_timeout") {
            pg.tcp_user_timeout(UNACKNOWLEDGED);
        }
        // Several nodes of a cluster share the work.
        if !told("load_balance_hosts") {
            pg.load_balance_hosts(LoadBalanceHosts::Random);
        }
        Ok(Self { pg, trust })
    }
}

/// Takes our parameters out of a URL.
fn take(text: &str) -> Result<(String, Files), UrlError> {
    let mut files = Files::default();
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        return Ok((text.to_owned(), files));
    }
    // A password may hold a question mark.
    let host = text.find('@').unwrap_or(0);
    let Some(mark) = text.get(host..).and_then(|rest| rest.find('?')) else {
        return Ok((text.to_owned(), files));
    };
    let (address, parameters) = text.split_at(host + mark);
    let mut rest = Vec::new();
    for pair in parameters.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(UrlError::Form)?;
        let value = || decoded(value).ok_or(UrlError::Form);
        match name {
            "sslmode" => files.mode = Some(value()?),
            "sslrootcert" => files.roots = Some(value()?),
            "sslcert" => files.certificate = Some(value()?.into()),
            "sslkey" => files.key = Some(value()?.into()),
            "sslpassword" => {
                return Err(UrlError::Value("sslpassword", "the key is not to be locked"));
            }
            "sslcrl" | "sslcrldir" => return Err(UrlError::Unknown("sslcrl")),
            _ => rest.push(pair),
        }
    }
    let rest = if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
    Ok((format!("{address}{rest}"), files))
}

/// A percent-encoded text; `None` when it is none.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => {
                let (high, low) = (char::from(rest.next()?), char::from(rest.next()?));
                u8::try_from(high.to_digit(16)? * 16 + low.to_digit(16)?).ok()?
            }
            plain => plain,
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

impl Files {
    /// `told` is what tokio-postgres made of an address that is no URL.
    fn meaning(self, told: SslMode) -> Result<(SslMode, Trust), UrlError> {
        let system = self.roots.as_deref() == Some("system");
        let roots = self.roots.filter(|roots| roots != "system").map(PathBuf::from);
        let own = match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (Some(_), None) => return Err(UrlError::Alone("sslcert", "sslkey")),
            (None, Some(_)) => return Err(UrlError::Alone("sslkey", "sslcert")),
            (None, None) => None,
        };
        let trust = |named, roots| Ok(Trust { named, roots, own: own.clone() });
        let chain = |named| trust(Some(named), roots.clone());
        let (mode, trust): (SslMode, Result<Trust, UrlError>) = match self.mode.as_deref() {
            None if system => (SslMode::Require, chain(true)),
            None if roots.is_some() => return Err(UrlError::Alone("sslrootcert", "sslmode")),
            None => (told, trust(None, None)),
            Some("allow" | "prefer" | "require" | "verify-ca") if system => {
                return Err(UrlError::Alone("sslrootcert=system", "sslmode=verify-full"));
            }
            Some("verify-ca") if roots.is_none() => {
                return Err(UrlError::Alone("sslmode=verify-ca", "sslrootcert"));
            }
            Some("disable") => (SslMode::Disable, trust(None, None)),
            Some("allow" | "prefer") => (SslMode::Prefer, trust(None, None)),
            Some("require") if roots.is_some() => (SslMode::Require, chain(false)),
            Some("require") => (SslMode::Require, trust(None, None)),
            Some("verify-ca") => (SslMode::Require, chain(false)),
            Some("verify-full") => (SslMode::Require, chain(true)),
            Some(_) => return Err(UrlError::Value("sslmode", MODES)),
        };
        Ok((mode, trust?))
    }
}

#[cfg(test)]
mod tests;
