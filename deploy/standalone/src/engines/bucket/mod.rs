//! The bucket: an S3 server in this process over a folder, for signed requests only.
//!
//! Its folder backend writes no object through to the disk (no fsync): an object stored in the last
//! seconds before a power cut can be lost or torn. A crash of the process alone loses nothing that
//! was acknowledged.
mod drain;
mod guard;
mod turns;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::error_handling::HandleError;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;

use super::host::{self, Hosts};
use super::{Options, S3Endpoint, folder, secret, serve};

/// The one bucket; its folder has the same name.
const BUCKET: &str = "reelpin";
/// Signatures must name a region; any will do that both sides know.
const REGION: &str = "us-east-1";

/// Why the bucket did not start.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// Its folder or key file cannot be used.
    #[error("cannot use {path}: {source}")]
    Storage {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder backend refused the folder.
    #[error("cannot open the folder {path}: {reason}")]
    Backend {
        /// The folder.
        path: PathBuf,
        /// The backend's own words (its error type is private).
        reason: String,
    },
    /// An allowed origin is not of the form `scheme://host[:port]`.
    #[error("{origin:?} is not an origin that CORS could allow")]
    Origin {
        /// The origin as configured.
        origin: String,
    },
}

impl BucketError {
    fn storage(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Storage { path, source }
    }
}

/// Opens the bucket in the folder `root`; its keys are kept in the folder `secrets`.
pub(super) fn open(
    root: &Path,
    secrets: &Path,
    bound: SocketAddr,
    options: &Options,
) -> Result<(Router, S3Endpoint), BucketError> {
    let cors = guard::cors(&options.allowed_origins)?;
    let bucket = root.join(BUCKET);
    folder::make_private(&bucket).map_err(BucketError::storage(&bucket))?;
    let key_file = secrets.join("bucket");
    let secret_key = secret::kept_hex(&key_file).map_err(BucketError::storage(&key_file))?;
    let id_file = secrets.join("bucket.id");
    let access_key = access_key(&id_file).map_err(BucketError::storage(&id_file))?;

    // It removes the drafts that a killed process left behind.
    let backend = FileSystem::new(root)
        .map_err(|e| BucketError::Backend { path: root.to_owned(), reason: format!("{e:?}") })?;
    let mut builder = S3ServiceBuilder::new(backend);
    builder.set_auth(SimpleAuth::from_single(access_key.as_str(), secret_key.expose()));
    let service = HandleError::new(builder.build(), |error: s3s::HttpError| async move {
        tracing::error!(?error, "the bucket failed to answer");
        StatusCode::INTERNAL_SERVER_ERROR
    });
    let router = Router::new()
        .fallback_service(service)
        .layer(from_fn(guard::keep_within_bucket))
        .layer(from_fn_with_state(turns::Turns::default(), turns::take))
        .layer(from_fn(drain::before_refusing))
        .layer(cors)
        .layer(from_fn_with_state(Hosts::of(bound, &options.allowed_hosts), host::check));
    let endpoint = S3Endpoint {
        endpoint: serve::url(bound),
        region: REGION.to_owned(),
        bucket: BUCKET.to_owned(),
        access_key,
        secret_key,
    };
    Ok((router, endpoint))
}

fn access_key(path: &Path) -> io::Result<String> {
    let made = || Ok(format!("reelpin-{}", secret::random_hex(8)?).into_bytes());
    String::from_utf8(secret::kept(path, made)?)
        .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}
