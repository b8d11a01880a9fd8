//! The pages that may upload: their origins, and the bucket's leave for them.

use axum::http::Uri;
use reelpin_schema::bucket::{Bucket, Cors};
use reelpin_schema::settings;

/// Origins (`scheme://host[:port]`) under which browsers reach this gateway's page: the public URL's,
/// and on this machine the address that is listened on.
pub fn origins(settings: &settings::Gateway) -> Vec<String> {
    let mut origins: Vec<String> = origin(&settings.public_url).into_iter().collect();
    if settings.listen.ip().is_loopback() {
        origins.push(format!("http://{}", settings.listen));
        origins.push(format!("http://localhost:{}", settings.listen.port()));
    }
    let mut once = Vec::new();
    for origin in origins {
        if !once.contains(&origin) {
            once.push(origin);
        }
    }
    once
}

/// Scheme, host and port of a URL; `None` for one that cannot be read.
pub(crate) fn origin(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}

/// Lets the page upload to a bucket that is not ours to configure otherwise; only tells when that
/// is not possible, since the operator may have allowed it by other means.
pub async fn let_upload(bucket: &Bucket, settings: &settings::Gateway) {
    if !settings.set_cors {
        return;
    }
    match bucket.allow_pages(&origins(settings)).await {
        Ok(Cors::Stood) => {}
        Ok(Cors::Set) => tracing::info!("the bucket's CORS rules now allow uploads by the page"),
        Ok(Cors::Unknown) => tracing::info!(
            "the bucket has no CORS rules to set; `reelpin-gateway check` tells whether pages can upload"
        ),
        Ok(Cors::Refused) => tracing::warn!(
            "this key may not set the bucket's CORS rules; `reelpin-gateway check` tells whether \
             pages can upload"
        ),
        Err(error) => tracing::warn!(%error, "the bucket's CORS rules could not be set"),
    }
}
