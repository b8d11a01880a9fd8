//! TLS: one provider of cryptography for every client that asks rustls for its default.

use rustls::crypto::aws_lc_rs;

/// Makes aws-lc the provider of this process. Two are compiled in (libp2p brings ring), and rustls
/// panics when it has to choose between them. Safe to call again; whoever came first stays.
pub fn provider() {
    let _ = aws_lc_rs::default_provider().install_default();
}
