//! TLS to a database: whom to trust, and who we are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Why the files of TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecureError {
    /// A file of certificates or a key.
    #[error("{parameter} ({path}) cannot be read: {source}")]
    File {
        /// Which parameter names it.
        parameter: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// A file without a certificate.
    #[error("{parameter} ({path}) holds no certificate")]
    Empty {
        /// Which parameter names it.
        parameter: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The operating system has no certificates that it trusts.
    #[error("the system trusts no certificates; name a file by sslrootcert")]
    NoRoots,
    /// Certificates and key as they were read.
    #[error("the certificates of the database's address cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

/// Whom to trust, and who we are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trust {
    /// `None`: whoever answers; `false`: whom a root vouches for; `true`: who has the name besides.
    pub(super) named: Option<bool>,
    /// A PEM file of roots; `None`: those of the system.
    pub(super) roots: Option<PathBuf>,
    /// Our own certificates and their key, PEM files.
    pub(super) own: Option<(PathBuf, PathBuf)>,
}

impl Trust {
    /// What makes TLS of a connection. Reads the files, once.
    ///
    /// # Errors
    /// [`SecureError`].
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, SecureError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?;
        let builder = match self.named {
            Some(true) => builder.with_root_certificates(self.root_store()?),
            named => {
                let roots = named.map(|_| self.root_store()).transpose()?;
                let lenient = Arc::new(Lenient { roots, provider });
                builder.dangerous().with_custom_certificate_verifier(lenient)
            }
        };
        let config = match &self.own {
            None => builder.with_no_client_auth(),
            Some((certificates, key)) => {
                let chain = read("sslcert", certificates)?;
                let key = PrivateKeyDer::from_pem_file(key).map_err(|source| {
                    SecureError::File { parameter: "sslkey", path: key.clone(), source }
                })?;
                builder.with_client_auth_cert(chain, key)?
            }
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn root_store(&self) -> Result<RootCertStore, SecureError> {
        let mut store = RootCertStore::empty();
        match &self.roots {
            Some(path) => {
                for root in read("sslrootcert", path)? {
                    store.add(root)?;
                }
            }
            None => {
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                if store.is_empty() {
                    return Err(SecureError::NoRoots);
                }
            }
        }
        Ok(store)
    }
}

fn read(parameter: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, SecureError> {
    let all: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|source| SecureError::File { parameter, path: path.to_owned(), source })?;
    if all.is_empty() {
        return Err(SecureError::Empty { parameter, path: path.to_owned() });
    }
    Ok(all)
}

/// Takes a server by any name (`verify-ca`), or without roots any server (`require`, `prefer`): what
/// libpq's modes mean. Whoever answers still proves that it holds the key of its certificate.
#[derive(Debug)]
struct Lenient {
    roots: Option<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(roots) = &self.roots {
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(
                &ParsedCertificate::try_from(end_entity)?,
                roots,
                intermediates,
                now,
                algorithms,
            )?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
