//! The bucket that a test is about.
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use reelpin_standalone::engines::{Engines, Options};
use tempfile::TempDir;

/// A page that may call the local bucket.
pub(super) const PAGE: &str = "http://127.0.0.1:8080";

/// A bucket, and the part of it that is this test's own.
pub(super) struct Subject {
    pub(super) client: Client,
    pub(super) bucket: String,
    /// Begins every key of this test, with a slash at its end.
    pub(super) prefix: String,
    /// The local one does all that is asked here. What others are known to do differently is let pass
    /// where the test says so.
    pub(super) local: bool,
    running: Option<(Engines, TempDir)>,
}

/// The bucket of the local engines.
pub(super) async fn local() -> Subject {
    let data = tempfile::Builder::new().prefix("reelpin-contract-").tempdir().unwrap();
    let local =
        Options::local(data.path().to_owned(), std::env::var_os("PATH").unwrap_or_default());
    let allowed_origins = vec![PAGE.to_owned()];
    let options = Options { want_postgres: false, want_ipfs: false, allowed_origins, ..local };
    let engines = Engines::start(options).await.unwrap();
    let s3 = engines.endpoints().s3.clone().unwrap();
    let client = client(&s3.endpoint, &s3.region, &s3.access_key, s3.secret_key.expose());
    let running = Some((engines, data));
    Subject { client, bucket: s3.bucket, prefix: prefix(), local: true, running }
}

/// The bucket that the environment names, if it does.
pub(super) async fn named() -> Option<Subject> {
    let named = |name: &str| std::env::var_os(name).and_then(|value| value.into_string().ok());
    let Some(endpoint) = named("REELPIN_TEST_S3_ENDPOINT") else {
        println!("not run: REELPIN_TEST_S3_ENDPOINT names no server");
        return None;
    };
    let region = named("REELPIN_TEST_S3_REGION").unwrap_or_else(|| "us-east-1".to_owned());
    let key = named("REELPIN_TEST_S3_ACCESS_KEY").unwrap();
    let secret = named("REELPIN_TEST_S3_SECRET_KEY").unwrap();
    let client = client(&endpoint, &region, &key, &secret);
    let bucket = "reelpin-contract".to_owned();
    if client.head_bucket().bucket(&bucket).send().await.is_err() {
        // Another test may have made it meanwhile.
        let _ = client.create_bucket().bucket(&bucket).send().await;
    }
    client.head_bucket().bucket(&bucket).send().await.unwrap();
    Some(Subject { client, bucket, prefix: prefix(), local: false, running: None })
}

fn prefix() -> String {
    format!("{}/", uuid::Uuid::new_v4().simple())
}

fn client(endpoint: &str, region: &str, key: &str, secret: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::new(key, secret, None, None, "test"))
        .force_path_style(true)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build();
    Client::from_conf(config)
}

impl Subject {
    /// A key of this test.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Stores an object and gives its ETag, with quotes.
    pub(super) async fn put(&self, name: &str, body: &[u8]) -> String {
        let body = ByteStream::from(body.to_vec());
        let put = self.client.put_object().bucket(&self.bucket).key(self.key(name)).body(body);
        put.send().await.unwrap().e_tag.unwrap()
    }

    /// The bytes of an object; `None` where there is none.
    pub(super) async fn get(&self, name: &str) -> Option<Vec<u8>> {
        let got = self.client.get_object().bucket(&self.bucket).key(self.key(name)).send().await;
        match got {
            Ok(object) => Some(object.body.collect().await.unwrap().to_vec()),
            Err(error) => {
                assert_eq!(error.code(), Some("NoSuchKey"), "{error:?}");
                None
            }
        }
    }

    /// A presigned PUT of so many bytes.
    pub(super) async fn ticket(
        &self,
        name: &str,
        size: i64,
        once: bool,
        lasting: Duration,
    ) -> PresignedRequest {
        let put = self.client.put_object().bucket(&self.bucket).key(self.key(name));
        let put = put.content_length(size);
        let put = if once { put.if_none_match("*") } else { put };
        put.presigned(PresigningConfig::expires_in(lasting).unwrap()).await.unwrap()
    }

    /// Removes what the test stored, and ends the local bucket.
    pub(super) async fn stop(self) {
        if let Some((engines, _data)) = self.running {
            engines.stop().await;
            return;
        }
        loop {
            let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(&self.prefix);
            let mut objects = Vec::new();
            for object in list.send().await.unwrap().contents.unwrap_or_default() {
                objects.push(ObjectIdentifier::builder().key(object.key.unwrap()).build().unwrap());
            }
            if objects.is_empty() {
                return;
            }
            let delete = Delete::builder().set_objects(Some(objects)).build().unwrap();
            self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await.unwrap();
        }
    }
}

/// Sends a ticket as a browser does: its headers, but those that an HTTP client sets itself.
pub(super) async fn send(ticket: &PresignedRequest, uri: &str, body: &[u8]) -> u16 {
    let mut request = reqwest::Client::new().put(uri).body(body.to_vec());
    for (name, value) in ticket.headers().filter(|(name, _)| *name != "content-length") {
        request = request.header(name, value);
    }
    request.send().await.unwrap().status().as_u16()
}

/// The status of an answer.
pub(super) fn status<T, E>(answer: &Result<T, SdkError<E, HttpResponse>>) -> u16 {
    match answer {
        Ok(_) => 200,
        Err(error) => error.raw_response().map_or(0, |response| response.status().as_u16()),
    }
}

/// The code of a refusal.
pub(super) fn code<T, E: ProvideErrorMetadata>(
    answer: &Result<T, SdkError<E, HttpResponse>>,
) -> Option<&str> {
    answer.as_ref().err().and_then(ProvideErrorMetadata::code)
}
