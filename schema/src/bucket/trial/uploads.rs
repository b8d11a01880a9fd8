//! Uploads as browsers make them.

use std::time::Duration;

use super::super::browser::Browser;
use super::super::s3::S3;
use super::super::{BucketError, Config, Cors, Objects as _, cors};
use crate::finding::{Finding, chain};

/// How long a tried upload address is good for.
const VALID: Duration = Duration::from_secs(60);

pub(super) async fn uploads(
    s3: &S3,
    config: &Config,
    key: &str,
    refused: &str,
    origins: &[String],
    set_cors: bool,
) -> Vec<Finding> {
    let what = "presigned uploads";
    let at = config.upload_endpoint();
    let browser = match Browser::new() {
        Ok(browser) => browser,
        Err(e) => return vec![Finding::broken(what, chain(&e))],
    };
    let mut found = Vec::new();
    let rules = match set_cors {
        true => rules(cors::allow(s3, origins).await),
        false => "; REELPIN_S3_CORS=leave keeps Reelpin from setting it",
    };
    let bytes = vec![7_u8; 1000];
    let once = s3.honours_once().await.unwrap_or(false);
    let put = match s3.presign_put(key, 1000, VALID, once).await {
        Ok(put) => put,
        Err(e) => return vec![Finding::broken(what, chain(&e))],
    };
    let origin = origins.first().map(String::as_str);
    let exposed = match browser.put(&put, bytes.clone(), origin).await {
        Ok((200..300, etag)) => {
            found.push(Finding::works(what, format!("to {at}")));
            etag.is_some()
        }
        Ok((status, _)) => {
            return vec![Finding::broken(
                what,
                format!(
                    "{at} answered {status}: REELPIN_S3_PUBLIC_ENDPOINT must reach the same server \
                     under the very host that browsers use"
                ),
            )];
        }
        Err(e) => return vec![Finding::broken(what, format!("{at}: {}", chain(&e)))],
    };
    found.push(if once {
        Finding::works("uploads once", "a used address cannot replace an upload")
    } else {
        Finding::missing(
            "uploads once",
            "an upload address can be used again within its hour, so each finished upload is copied \
             to a key that no client knows",
        )
    });
    let longer = match s3.presign_put(refused, 1000, VALID, false).await {
        Ok(put) => browser.put(&put, vec![7_u8; 1001], None).await,
        Err(e) => Err(e),
    };
    found.push(match longer {
        Ok((400..500, _)) | Err(BucketError::Unreachable { .. }) => {
            Finding::works("upload sizes", "an address admits the declared size alone")
        }
        Ok((status, _)) => Finding::missing(
            "upload sizes",
            format!(
                "one byte more was answered by {status}: clients can send more than they declared, \
                 and Reelpin refuses it only afterwards"
            ),
        ),
        Err(e) => Finding::missing("upload sizes", chain(&e)),
    });
    found.push(pages(&browser, &put.url, &at, origins, exposed, rules).await);
    found
}

async fn pages(
    browser: &Browser,
    url: &str,
    at: &str,
    origins: &[String],
    exposed: bool,
    rules: &str,
) -> Finding {
    let what = "uploads by pages (CORS)";
    let headers = cors::HEADERS.iter().map(|name| ((*name).to_owned(), String::new())).collect();
    for origin in origins {
        match browser.preflight(url, origin, &headers).await {
            Ok(answer) if answer.allowed => {}
            Ok(answer) => {
                return Finding::broken(
                    what,
                    format!(
                        "{at} answers {} to a page of {origin}, and browsers will not upload{rules}",
                        answer.status
                    ),
                );
            }
            Err(e) => return Finding::broken(what, chain(&e)),
        }
    }
    if exposed {
        return Finding::works(what, format!("from {}", origins.join(", ")));
    }
    Finding::missing(what, format!("allowed, but pages cannot read the ETag{rules}"))
}

/// What is to be said of the bucket's rules when pages turn out not to be allowed.
fn rules(allowed: Result<Cors, BucketError>) -> &'static str {
    match allowed {
        Ok(Cors::Stood | Cors::Set) => ", although the bucket's CORS rules allow it",
        Ok(Cors::Unknown) => {
            "; the engine has no rules for a bucket: set its own option for origins"
        }
        Ok(Cors::Refused) => {
            "; this key may not set the bucket's CORS: set it by hand (see the README)"
        }
        Err(_) => "; asking for the bucket's CORS rules failed",
    }
}
