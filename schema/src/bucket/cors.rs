//! CORS of the bucket: which pages may upload to it. Planned apart from the calls.

use aws_sdk_s3::types::{CorsConfiguration, CorsRule};

use super::s3::{S3, limited};
use super::{BucketError, CALL};

/// The name of our rule.
const ID: &str = "reelpin";

/// What an upload and a player of ours send.
const METHODS: [&str; 3] = ["PUT", "GET", "HEAD"];

/// Headers that an upload or a player may send.
pub(super) const HEADERS: [&str; 4] = ["content-type", "if-none-match", "if-match", "range"];

/// Browsers ask once an hour whether they may.
const MAX_AGE: i32 = 3600;

/// Whether pages may upload to the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cors {
    /// The bucket's rules allowed it already.
    Stood,
    /// We added a rule of ours to them.
    Set,
    /// The engine has no rules for a bucket; it may have one setting for all of them.
    Unknown,
    /// Our key may not read or set them.
    Refused,
}

/// Lets pages of these origins upload, by a rule of our own beside whatever rules there are.
pub(super) async fn allow(s3: &S3, origins: &[String]) -> Result<Cors, BucketError> {
    let call = s3.client.get_bucket_cors().bucket(&s3.name).send();
    let rules = match limited(CALL, "GetBucketCors", call).await {
        Ok(answer) => answer.cors_rules().to_vec(),
        // No rules yet: NoSuchCORSConfiguration.
        Err(BucketError::Missing { .. }) => Vec::new(),
        Err(e) => return verdict(e),
    };
    if origins.iter().all(|origin| admits(&rules, origin)) {
        return Ok(Cors::Stood);
    }
    let wrong = |e: aws_sdk_s3::error::BuildError| BucketError::Request(e.into());
    let rules = with_ours(rules, origins).map_err(wrong)?;
    let rules = CorsConfiguration::builder().set_cors_rules(Some(rules)).build().map_err(wrong)?;
    let call = s3.client.put_bucket_cors().bucket(&s3.name).cors_configuration(rules).send();
    match limited(CALL, "PutBucketCors", call).await {
        Ok(_) => Ok(Cors::Set),
        Err(e) => verdict(e),
    }
}

fn verdict(error: BucketError) -> Result<Cors, BucketError> {
    match error {
        BucketError::Refused { status: 403, .. } => Ok(Cors::Refused),
        BucketError::Refused { status: 400 | 405 | 501, .. } => Ok(Cors::Unknown),
        error => Err(error),
    }
}

/// Whether a page of `origin` may upload and read the ETag by these rules: one of them has to allow
/// all of it (Amazon S3 User Guide, "Elements of a CORS configuration").
fn admits(rules: &[CorsRule], origin: &str) -> bool {
    rules.iter().any(|rule| {
        rule.allowed_origins().iter().any(|pattern| matches(pattern, origin))
            && METHODS.iter().all(|method| rule.allowed_methods().iter().any(|m| m == method))
            && HEADERS.iter().all(|header| {
                rule.allowed_headers().iter().any(|p| matches(&p.to_ascii_lowercase(), header))
            })
            && rule.expose_headers().iter().any(|h| h.eq_ignore_ascii_case("etag"))
    })
}

/// Whether a pattern with at most one `*` is met.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => {
            text.len() >= head.len() + tail.len() && text.starts_with(head) && text.ends_with(tail)
        }
    }
}

/// The rules with ours, which keeps the origins that it named before.
fn with_ours(
    mut rules: Vec<CorsRule>,
    origins: &[String],
) -> Result<Vec<CorsRule>, aws_sdk_s3::error::BuildError> {
    let mut all: Vec<String> = origins.to_vec();
    rules.retain(|rule| {
        let ours = rule.id() == Some(ID);
        if ours {
            all.extend(rule.allowed_origins().iter().cloned());
        }
        !ours
    });
    all.sort_unstable();
    all.dedup();
    let owned = |words: &[&str]| Some(words.iter().map(|w| (*w).to_owned()).collect());
    let rule = CorsRule::builder()
        .id(ID)
        .set_allowed_origins(Some(all))
        .set_allowed_methods(owned(&METHODS))
        .set_allowed_headers(owned(&HEADERS))
        .expose_headers("ETag")
        .max_age_seconds(MAX_AGE);
    rules.push(rule.build()?);
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(origin: &str, headers: &[&str], exposes: bool) -> CorsRule {
        let owned = |words: &[&str]| Some(words.iter().map(|w| (*w).to_owned()).collect());
        CorsRule::builder()
            .allowed_origins(origin)
            .set_allowed_methods(owned(&METHODS))
            .set_allowed_headers(owned(headers))
            .set_expose_headers(exposes.then(|| vec!["etag".to_owned()]))
            .build()
            .unwrap()
    }

    #[test]
    fn a_rule_admits_a_page_or_not() {
        let page = "https://video.example";
        for (pattern, headers, exposes, admitted) in [
            (page, &HEADERS[..], true, true),
            ("*", &["*"][..], true, true),
            ("https://*.example", &["*"][..], true, true),
            ("https://*.example.org", &["*"][..], true, false),
            ("http://video.example", &["*"][..], true, false),
            (page, &["Content-Type", "range", "If-*"][..], true, true),
            (page, &["content-type"][..], true, false),
            (page, &["*"][..], false, false),
        ] {
            let rules = [rule(pattern, headers, exposes)];
            assert_eq!(admits(&rules, page), admitted, "{pattern} {headers:?} {exposes}");
        }
        // No rule allows all of it alone.
        let halves = [rule(page, &["content-type"], true), rule(page, &["*"], false)];
        assert!(!admits(&halves, page));
    }

    #[test]
    fn ours_comes_beside_others_and_only_once() {
        let theirs = rule("https://other.example", &["*"], false);
        let once = with_ours(vec![theirs.clone()], &["https://a.example".to_owned()]).unwrap();
        let twice = with_ours(once, &["https://b.example".to_owned()]).unwrap();
        assert_eq!(twice.len(), 2);
        assert_eq!(twice[0], theirs);
        assert_eq!(twice[1].allowed_origins(), ["https://a.example", "https://b.example"]);
        assert!(admits(&twice, "https://a.example") && admits(&twice, "https://b.example"));
    }
}
