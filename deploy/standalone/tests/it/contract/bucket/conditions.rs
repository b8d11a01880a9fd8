//! Conditional calls.
use aws_sdk_s3::primitives::{ByteStream, DateTime};

use super::contract;
use super::subject::{Subject, status};

const OTHER: &str = "\"00000000000000000000000000000000\"";

async fn puts(subject: &Subject) {
    let put = |name: &str, body: &'static [u8]| {
        let put = subject.client.put_object().bucket(&subject.bucket).key(subject.key(name));
        put.body(ByteStream::from_static(body))
    };
    // AWS says 404, others 412.
    let nothing = put("a", b"x").if_match(OTHER).send().await;
    assert!(matches!(status(&nothing), 404 | 412), "{nothing:?}");
    assert_eq!(status(&put("a", b"one").if_none_match("*").send().await), 200);
    assert_eq!(status(&put("a", b"two").if_none_match("*").send().await), 412);
    assert_eq!(status(&put("a", b"two").if_match(OTHER).send().await), 412);
    assert_eq!(subject.get("a").await.unwrap(), b"one");
    let head = subject.client.head_object().bucket(&subject.bucket).key(subject.key("a"));
    let tag = head.send().await.unwrap().e_tag.unwrap();
    assert_eq!(status(&put("a", b"two").if_match(&tag).send().await), 200);
    assert_eq!(status(&put("a", b"three").if_match(&tag).send().await), 412);
    assert_eq!(subject.get("a").await.unwrap(), b"two");
}

async fn reads(subject: &Subject) {
    let tag = subject.put("a", b"abc").await;
    let get = || subject.client.get_object().bucket(&subject.bucket).key(subject.key("a"));
    let head = || subject.client.head_object().bucket(&subject.bucket).key(subject.key("a"));
    let modified = head().send().await.unwrap().last_modified.unwrap().secs();
    let (before, after) = (DateTime::from_secs(modified - 9), DateTime::from_secs(modified + 9));
    assert_eq!(status(&get().if_match(&tag).send().await), 200);
    assert_eq!(status(&get().if_match(OTHER).send().await), 412);
    assert_eq!(status(&get().if_none_match(OTHER).send().await), 200);
    assert_eq!(status(&get().if_none_match(&tag).send().await), 304);
    assert_eq!(status(&get().if_modified_since(before).send().await), 200);
    assert_eq!(status(&get().if_unmodified_since(after).send().await), 200);
    assert_eq!(status(&get().if_unmodified_since(before).send().await), 412);
    assert_eq!(status(&head().if_match(&tag).send().await), 200);
    assert_eq!(status(&head().if_match(OTHER).send().await), 412);
    assert_eq!(status(&head().if_none_match(&tag).send().await), 304);
    assert_eq!(status(&head().if_unmodified_since(before).send().await), 412);
}

async fn copies(subject: &Subject) {
    let tag = subject.put("a", b"abc").await;
    let copy = |to: &str| {
        let from = format!("{}/{}", subject.bucket, subject.key("a"));
        let copy = subject.client.copy_object().bucket(&subject.bucket).key(subject.key(to));
        copy.copy_source(from)
    };
    assert_eq!(status(&copy("b").copy_source_if_match(OTHER).send().await), 412);
    assert_eq!(subject.get("b").await, None);
    assert_eq!(status(&copy("b").copy_source_if_match(&tag).send().await), 200);
    assert_eq!(subject.get("b").await.unwrap(), b"abc");
    let missing = subject.client.copy_object().bucket(&subject.bucket).key(subject.key("c"));
    let from = format!("{}/{}", subject.bucket, subject.key("missing"));
    assert_eq!(status(&missing.copy_source(from).send().await), 404);
}

contract!(puts, reads, copies);
