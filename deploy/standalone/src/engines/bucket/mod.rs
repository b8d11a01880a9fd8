//! The bucket: an S3 server in this process over a folder, for signed requests only.
//!
//! `reelpin-bucket` keeps the objects: what was acknowledged is synced, and a name always stands for a
//! whole object.
mod drain;
mod guard;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::error_handling::HandleError;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;

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
    /// The objects' folder cannot be used.
    #[error(transparent)]
    Objects(#[from] reelpin_bucket::OpenError),
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
    let bucket = root.join(BUCKET);
    folder::make_private(&bucket).map_err(BucketError::storage(&bucket))?;
    let key_file = secrets.join("bucket");
    let secret_key = secret::kept_hex(&key_file).map_err(BucketError::storage(&key_file))?;
    let id_file = secrets.join("bucket.id");
    let access_key = access_key(&id_file).map_err(BucketError::storage(&id_file))?;

    // It removes the drafts that a killed process left behind.
    let objects = reelpin_bucket::Bucket::open(root, BUCKET)?;
    let cors = guard::cors(&options.allowed_origins, objects.clone())?;
    let mut builder = S3ServiceBuilder::new(objects);
    builder.set_auth(SimpleAuth::from_single(access_key.as_str(), secret_key.expose()));
    let service = HandleError::new(builder.build(), |error: s3s::HttpError| async move {
        tracing::error!(?error, "the bucket failed to answer");
        StatusCode::INTERNAL_SERVER_ERROR
    });
    let router = Router::new()
        .fallback_service(service)
        .layer(from_fn(guard::keep_within_bucket))
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
