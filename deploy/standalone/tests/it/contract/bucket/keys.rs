//! Keys that are none.
use aws_sdk_s3::primitives::ByteStream;

use super::contract;
use super::subject::{Subject, code, status};

async fn stay_in_the_bucket(subject: &Subject) {
    let body = || ByteStream::from_static(b"x");
    for key in ["../../../../x", "a/../../../x", "..", "../secrets/bucket"] {
        let put = subject.client.put_object().bucket(&subject.bucket).key(key).body(body());
        let put = put.send().await;
        // Where keys are but names, some of these are as good as any.
        assert!(!subject.local || (400..500).contains(&status(&put)), "{key}: {put:?}");
        let get = subject.client.get_object().bucket(&subject.bucket).key(key).send().await;
        assert!(!subject.local || (400..500).contains(&status(&get)), "{key}: {get:?}");
        let delete = subject.client.delete_object().bucket(&subject.bucket).key(key);
        let _ = delete.send().await;
        let copy = subject.client.copy_object().bucket(&subject.bucket).key(subject.key("b"));
        let copied = copy.copy_source(format!("{}/{key}", subject.bucket)).send().await;
        assert!((400..500).contains(&status(&copied)), "{key}: {copied:?}");
    }
}

async fn have_a_length(subject: &Subject) {
    let long = format!("{}/{}", "p".repeat(200), "n".repeat(200));
    subject.put(&long, b"x").await;
    assert_eq!(subject.get(&long).await.unwrap(), b"x");
    let too_long = "a/".repeat(600) + "a";
    let put = subject.client.put_object().bucket(&subject.bucket).key(subject.key(&too_long));
    let refused = put.body(ByteStream::from_static(b"x")).send().await;
    // versitygw takes what its file system takes.
    assert!(!subject.local || code(&refused) == Some("KeyTooLongError"), "{refused:?}");
}

async fn below_an_object_are_refused(subject: &Subject) {
    // Where keys are but names, both may be.
    if !subject.local {
        return;
    }
    subject.put("d", b"x").await;
    let put = |name: &str| {
        let put = subject.client.put_object().bucket(&subject.bucket).key(subject.key(name));
        put.body(ByteStream::from_static(b"y"))
    };
    assert_eq!(status(&put("d/e").send().await), 409);
    assert_eq!(subject.get("d/e").await, None);
    subject.put("f/g", b"x").await;
    assert_eq!(status(&put("f").send().await), 409);
    assert_eq!(status(&put("f").if_none_match("*").send().await), 409);
    assert_eq!(subject.get("f/g").await.unwrap(), b"x");
}

contract!(stay_in_the_bucket, have_a_length, below_an_object_are_refused);
