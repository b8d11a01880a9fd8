//! Objects as the services store and read them.

use bytes::Bytes;

use super::super::s3::S3;
use super::super::{BucketError, Content, Objects as _};
use crate::finding::{Finding, chain};

/// Larger than one network packet, small enough for any link.
const SIZE: usize = 300_000;

pub(super) async fn objects(s3: &S3, key: &str, copy: &str) -> Vec<Finding> {
    let bytes = Bytes::from(vec![7_u8; SIZE]);
    let content = Content::Bytes(bytes.clone());
    let mut found = Vec::new();
    let kind = "application/octet-stream";
    let once = match s3.put(key, &content, kind, true).await {
        Err(BucketError::Refused { status: 501, .. }) => {
            if let Err(e) = s3.put(key, &content, kind, false).await {
                found.push(Finding::broken("storing", chain(&e)));
                return found;
            }
            None
        }
        Err(e) => {
            found.push(Finding::broken("storing", chain(&e)));
            return found;
        }
        Ok(()) => Some(s3.put(key, &content, kind, true).await),
    };
    found.push(Finding::works("storing", format!("{SIZE} bytes")));
    found.push(match once {
        Some(Err(BucketError::Precondition { .. })) => {
            Finding::works("If-None-Match on PUT", "a key is written once")
        }
        _ => Finding::missing(
            "If-None-Match on PUT",
            "a key can be written twice; Reelpin names keys by attempts, so nothing of it is lost",
        ),
    });
    let head = match s3.head(key).await {
        Ok(Some(head)) if head.size == SIZE as u64 && !head.etag.is_empty() => head,
        Ok(head) => {
            found.push(Finding::broken(
                "HEAD",
                format!("it tells another size or no ETag: {head:?}"),
            ));
            return found;
        }
        Err(e) => {
            found.push(Finding::broken("HEAD", chain(&e)));
            return found;
        }
    };
    found.push(ranges(s3, key, &head.etag).await);
    found.push(match s3.get_range(key, (0, 9), "\"0123456789abcdef0123456789abcdef\"").await {
        Err(BucketError::Precondition { .. }) => {
            Finding::works("If-Match on GET", "an original that changes is noticed by the server")
        }
        _ => Finding::missing(
            "If-Match on GET",
            "the server does not compare; Reelpin compares ETag, range and length of each answer itself",
        ),
    });
    found.push(match s3.copy(key, &head.etag, copy).await {
        Ok(()) => Finding::works("copying", "within the bucket"),
        Err(e) => Finding::missing(
            "copying",
            format!("{}; only needed where presigned PUTs can be repeated, see below", chain(&e)),
        ),
    });
    found.push(match s3.list(key, None).await {
        Ok(listed) if listed.iter().any(|l| l.key == key && l.size == SIZE as u64) => {
            Finding::works("listing", "by prefix, with sizes")
        }
        Ok(_) => Finding::missing(
            "listing",
            "what was just stored is not listed: the janitor sees it later",
        ),
        Err(e) => Finding::missing(
            "listing",
            format!("{}; without it nobody removes what dead workers left", chain(&e)),
        ),
    });
    found
}

async fn ranges(s3: &S3, key: &str, etag: &str) -> Finding {
    let what = "reading ranges";
    let part = match s3.get_range(key, (100, 199), etag).await {
        Ok(part) => part,
        Err(e) => return Finding::broken(what, chain(&e)),
    };
    let told = part.range.clone().unwrap_or_default();
    let whole = format!("bytes 100-199/{SIZE}");
    match part.body.collect().await {
        Ok(bytes) => match (bytes.into_bytes().len(), told == whole) {
            (100, true) => Finding::works(what, "with If-Match, and the answer tells its place"),
            _ => Finding::broken(
                what,
                format!(
                    "bytes 100 to 199 were answered by {told:?}: originals cannot be read by parts"
                ),
            ),
        },
        Err(e) => Finding::broken(what, e.to_string()),
    }
}
