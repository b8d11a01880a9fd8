//! What the browser will make of the addresses, before anything is sent.

use reelpin_schema::bucket;
use reelpin_schema::finding::Finding;

/// Browsers let no https page connect to a plain http address but the loopback (W3C Mixed Content).
pub(super) fn mixed(bucket: &bucket::Config, origins: &[String]) -> Option<Finding> {
    let endpoint = bucket.upload_endpoint();
    let page = origins.iter().find(|origin| origin.starts_with("https://"))?;
    let host = endpoint.strip_prefix("http://")?;
    let local = ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host.starts_with(name));
    (!local).then(|| {
        Finding::broken(
            "uploads by https pages",
            format!(
                "the page is {page} and uploads go to {endpoint}: browsers refuse plain http there. \
                 Set REELPIN_S3_PUBLIC_ENDPOINT to an https address of the bucket"
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use reelpin_schema::bucket::{Addressing, Config};
    use reelpin_schema::secret::Secret;

    use super::mixed;

    #[test]
    fn an_https_page_cannot_upload_in_plain_http() {
        for (page, endpoint, refused) in [
            ("https://video.example", "http://s3.example", true),
            ("https://video.example", "https://s3.example", false),
            ("http://video.example", "http://s3.example", false),
            ("https://video.example", "http://127.0.0.1:8081", false),
        ] {
            let config = Config {
                endpoint: "http://inside:9000".to_owned(),
                public_endpoint: endpoint.to_owned(),
                addressing: Addressing::Path,
                region: "us-east-1".to_owned(),
                bucket: "films".to_owned(),
                access_key: String::new(),
                secret_key: Secret::new(""),
                session_token: None,
            };
            assert_eq!(mixed(&config, &[page.to_owned()]).is_some(), refused, "{page} {endpoint}");
        }
    }
}
