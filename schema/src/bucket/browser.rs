//! The bucket as a browser meets it: plain HTTP requests that nothing of ours signs on the way.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, Method, header, redirect};

use super::{BucketError, PresignedPut};

/// The longest that one request may take.
const TRY: Duration = Duration::from_secs(10);

/// What a browser would be told about requests from a page's origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Preflight {
    /// Whether a PUT with the headers of an upload is allowed.
    pub(super) allowed: bool,
    /// HTTP status of the answer.
    pub(super) status: u16,
}

/// Sends what a browser would.
pub(super) struct Browser(Client);

impl Browser {
    /// # Errors
    /// [`BucketError::Request`] when there are no certificates to trust.
    pub(super) fn new() -> Result<Self, BucketError> {
        crate::tls::provider();
        let client = Client::builder().timeout(TRY).redirect(redirect::Policy::none()).build();
        Ok(Self(client.map_err(|e| BucketError::Request(e.into()))?))
    }

    /// Sends `bytes` to an upload address as from a page of `origin`; returns the status and, if the
    /// page could read it there, the ETag.
    ///
    /// # Errors
    /// [`BucketError::Unreachable`], [`BucketError::TimedOut`].
    pub(super) async fn put(
        &self,
        to: &PresignedPut,
        bytes: Vec<u8>,
        origin: Option<&str>,
    ) -> Result<(u16, Option<String>), BucketError> {
        let mut request = self.0.put(&to.url).body(bytes);
        for (name, value) in &to.headers {
            request = request.header(name, value);
        }
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        let answer = request.send().await.map_err(|e| failed("PutObject", e))?;
        let word = |name| answer.headers().get(name).and_then(|v| v.to_str().ok());
        let exposed = word(header::ACCESS_CONTROL_EXPOSE_HEADERS)
            .is_some_and(|list| list == "*" || names(list).any(|n| n == "etag"));
        let etag = word(header::ETAG).filter(|_| exposed).map(str::to_owned);
        Ok((answer.status().as_u16(), etag))
    }

    /// Asks as a browser does before a page of `origin` uploads with these headers.
    ///
    /// # Errors
    /// [`BucketError::Unreachable`], [`BucketError::TimedOut`].
    pub(super) async fn preflight(
        &self,
        url: &str,
        origin: &str,
        headers: &BTreeMap<String, String>,
    ) -> Result<Preflight, BucketError> {
        let wanted: Vec<&str> =
            headers.keys().map(String::as_str).filter(|n| *n != "host").collect();
        let answer = self
            .0
            .request(Method::OPTIONS, url)
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "PUT")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, wanted.join(","))
            .send()
            .await
            .map_err(|e| failed("OPTIONS", e))?;
        let word = |name| answer.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or("");
        let lists = |name, want: &str| names(word(name)).any(|n| n == "*" || n == want);
        let allowed = matches!(word(header::ACCESS_CONTROL_ALLOW_ORIGIN), o if o == "*" || o == origin)
            && lists(header::ACCESS_CONTROL_ALLOW_METHODS, "put")
            && wanted.iter().all(|name| lists(header::ACCESS_CONTROL_ALLOW_HEADERS, name));
        Ok(Preflight { allowed, status: answer.status().as_u16() })
    }
}

fn names(list: &str) -> impl Iterator<Item = String> {
    list.split(',').map(|name| name.trim().to_ascii_lowercase())
}

fn failed(call: &'static str, error: reqwest::Error) -> BucketError {
    if error.is_timeout() {
        return BucketError::TimedOut { call };
    }
    // Without the URL, which holds a signature.
    BucketError::Unreachable { call, source: error.without_url().into() }
}
