//! Objects: what is told of them, parts of them, broken ones.
use aws_sdk_s3::primitives::ByteStream;
use data_encoding::BASE64;

use super::contract;
use super::subject::{Subject, code, status};

async fn come_back_as_they_were(subject: &Subject) {
    for size in [0, 1, 4096, (512 << 10) + 1, 3 << 20] {
        let body: Vec<u8> =
            (0..size).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        subject.put("a", &body).await;
        assert!(subject.get("a").await.unwrap() == body, "{size}");
    }
    let key = subject.key("told");
    let put = subject.client.put_object().bucket(&subject.bucket).key(&key);
    let put = put.content_type("video/mp4").cache_control("max-age=9").metadata("who", "me");
    let tag = put.body(ByteStream::from_static(b"hello")).send().await.unwrap().e_tag.unwrap();
    assert_eq!(tag, "\"5d41402abc4b2a76b9719d911017c592\"");
    let head = subject.client.head_object().bucket(&subject.bucket).key(&key);
    let head = head.send().await.unwrap();
    assert_eq!(head.e_tag(), Some(tag.as_str()));
    assert_eq!(head.content_length(), Some(5));
    assert_eq!(head.content_type(), Some("video/mp4"));
    assert_eq!(head.cache_control(), Some("max-age=9"));
    assert_eq!(head.metadata().unwrap()["who"], "me");
    let missing = subject.client.head_object().bucket(&subject.bucket).key(subject.key("none"));
    assert_eq!(status(&missing.send().await), 404);
}

async fn are_read_by_range(subject: &Subject) {
    let body: Vec<u8> =
        (0..2_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    subject.put("a", &body).await;
    let size = body.len();
    for (range, expected) in [
        ("bytes=0-0", 0..1),
        ("bytes=1-3", 1..4),
        ("bytes=524287-524288", 524_287..524_289),
        ("bytes=1000-", 1000..size),
        ("bytes=-5", size - 5..size),
        ("bytes=-9999999", 0..size),
        ("bytes=1999999-9999999", size - 1..size),
    ] {
        let get = subject.client.get_object().bucket(&subject.bucket).key(subject.key("a"));
        let part = get.range(range).send().await.unwrap();
        let shown = format!("bytes {}-{}/{size}", expected.start, expected.end - 1);
        assert_eq!(part.content_range(), Some(shown.as_str()), "{range}");
        assert!(part.body.collect().await.unwrap().to_vec() == body[expected], "{range}");
    }
    let get = subject.client.get_object().bucket(&subject.bucket).key(subject.key("a"));
    assert_eq!(status(&get.range("bytes=2000000-").send().await), 416);
}

async fn are_not_there_if_broken(subject: &Subject) {
    let put = || {
        let put = subject.client.put_object().bucket(&subject.bucket).key(subject.key("a"));
        put.body(ByteStream::from_static(b"hello"))
    };
    let broken = put().content_md5(BASE64.encode(&[7; 16])).send().await;
    assert_eq!(code(&broken), Some("BadDigest"));
    assert_eq!(subject.get("a").await, None);
    let broken = put().checksum_sha256(BASE64.encode(&[7; 32])).send().await;
    assert_eq!(status(&broken), 400);
    assert_eq!(subject.get("a").await, None);
    let good = BASE64
        .encode(&data_encoding::HEXLOWER.decode(b"5d41402abc4b2a76b9719d911017c592").unwrap());
    put().content_md5(good).send().await.unwrap();
    assert_eq!(subject.get("a").await.unwrap(), b"hello");
}

async fn are_deleted_again_and_again(subject: &Subject) {
    subject.put("d/e/a", b"x").await;
    for _ in 0..2 {
        let delete = subject.client.delete_object().bucket(&subject.bucket);
        delete.key(subject.key("d/e/a")).send().await.unwrap();
    }
    assert_eq!(subject.get("d/e/a").await, None);
    // What was a folder of others may be an object now.
    subject.put("d", b"y").await;
    assert_eq!(subject.get("d").await.unwrap(), b"y");
}

contract!(
    come_back_as_they_were,
    are_read_by_range,
    are_not_there_if_broken,
    are_deleted_again_and_again,
);
