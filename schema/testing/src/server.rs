//! A PostgreSQL of a test's own, at an address of this machine: one that may be secured, or cut off.

use std::net::TcpListener;

use crate::cluster::Cluster;

/// A running server; it ends with this value.
pub struct Server {
    cluster: Cluster,
    port: u16,
}

impl Server {
    /// Starts one with these files (names and contents) in its data folder, and these settings.
    ///
    /// # Errors
    /// PostgreSQL is not installed, or did not start.
    pub async fn start(
        files: Vec<(&'static str, String)>,
        settings: &'static [&'static str],
    ) -> anyhow::Result<Self> {
        tokio::task::spawn_blocking(move || {
            // Free a moment ago; who takes it meanwhile makes the test fail, not pass.
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let at = format!("port={port}");
            let mut all = vec!["listen_addresses=127.0.0.1", at.as_str()];
            all.extend(settings);
            Ok(Self { cluster: Cluster::new(&files, &all)?, port })
        })
        .await?
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address as its own superuser sees it, over its local socket.
    pub fn url(&self) -> String {
        self.cluster.url_at(self.port, "postgres")
    }
}
