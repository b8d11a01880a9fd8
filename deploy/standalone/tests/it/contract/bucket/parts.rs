//! Uploads in parts.
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::contract;
use super::subject::{Subject, code, status};

const MIN: usize = 5 << 20;

/// An upload that was begun.
struct Upload<'s> {
    subject: &'s Subject,
    key: String,
    id: String,
}

impl<'s> Upload<'s> {
    async fn begin(subject: &'s Subject, name: &str) -> Self {
        let key = subject.key(name);
        let create = subject.client.create_multipart_upload().bucket(&subject.bucket).key(&key);
        let created = create.content_type("video/mp4").send().await.unwrap();
        Self { subject, key, id: created.upload_id.unwrap() }
    }

    async fn part(&self, number: i32, body: Vec<u8>) -> CompletedPart {
        let part = self.subject.client.upload_part().bucket(&self.subject.bucket).key(&self.key);
        let part = part.upload_id(&self.id).part_number(number).body(ByteStream::from(body));
        let tag = part.send().await.unwrap().e_tag.unwrap();
        CompletedPart::builder().part_number(number).e_tag(tag).build()
    }

    /// The ETag, or the code of the refusal.
    async fn complete(&self, parts: &[&CompletedPart]) -> Result<String, String> {
        let parts = parts.iter().map(|part| (*part).clone()).collect();
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = self.subject.client.complete_multipart_upload();
        let complete = complete.bucket(&self.subject.bucket).key(&self.key).upload_id(&self.id);
        let completed = complete.multipart_upload(parts).send().await;
        let code = code(&completed).unwrap_or_default().to_owned();
        completed.map(|completed| completed.e_tag.unwrap()).map_err(|_| code)
    }
}

fn body(byte: u8, size: usize) -> Vec<u8> {
    vec![byte; size]
}

async fn are_checked_and_put_together(subject: &Subject) {
    let upload = Upload::begin(subject, "a").await;
    let three = upload.part(3, body(3, 1000)).await;
    let one = upload.part(1, body(1, MIN)).await;
    let old = upload.part(2, body(9, MIN)).await;
    let two = upload.part(2, body(2, MIN)).await;
    let list = || {
        let list = subject.client.list_parts().bucket(&subject.bucket).key(&upload.key);
        list.upload_id(&upload.id)
    };
    let stored = list().send().await.unwrap();
    let told: Vec<_> =
        stored.parts().iter().map(|p| (p.part_number(), p.e_tag(), p.size())).collect();
    let sizes = [MIN, MIN, 1000].map(|size| i64::try_from(size).ok());
    let expected: Vec<_> = [&one, &two, &three]
        .iter()
        .zip(sizes)
        .map(|(p, s)| (p.part_number(), p.e_tag(), s))
        .collect();
    assert_eq!(told, expected);
    let page = list().max_parts(2).send().await.unwrap();
    assert_eq!((page.parts().len(), page.is_truncated()), (2, Some(true)));
    let rest =
        list().part_number_marker(page.next_part_number_marker().unwrap()).send().await.unwrap();
    assert_eq!(rest.parts().iter().map(|p| p.part_number()).collect::<Vec<_>>(), [Some(3)]);

    let absent = CompletedPart::builder().part_number(7).e_tag(one.e_tag().unwrap()).build();
    for (named, refused) in [
        (vec![&one, &old, &three], "InvalidPart"),
        (vec![&one, &absent], "InvalidPart"),
        (vec![&two, &one], "InvalidPartOrder"),
    ] {
        assert_eq!(upload.complete(&named).await.unwrap_err(), refused);
    }
    assert_eq!(subject.get("a").await, None);
    // Nothing was lost by that.
    let tag = upload.complete(&[&one, &two, &three]).await.unwrap();
    assert!(tag.ends_with("-3\""), "{tag}");
    let whole = [body(1, MIN), body(2, MIN), body(3, 1000)].concat();
    assert!(subject.get("a").await.unwrap() == whole);
    let head = subject.client.head_object().bucket(&subject.bucket).key(&upload.key);
    let head = head.send().await.unwrap();
    assert_eq!((head.e_tag(), head.content_type()), (Some(tag.as_str()), Some("video/mp4")));
    // The answer was lost, the client asks again.
    assert_eq!(upload.complete(&[&one, &two, &three]).await.unwrap(), tag);
    assert_eq!(status(&list().send().await), 404);
}

async fn are_not_too_small(subject: &Subject) {
    let upload = Upload::begin(subject, "a").await;
    let one = upload.part(1, body(1, 1000)).await;
    let two = upload.part(2, body(2, MIN)).await;
    assert_eq!(upload.complete(&[&one, &two]).await.unwrap_err(), "EntityTooSmall");
    let one = upload.part(1, body(1, MIN)).await;
    upload.complete(&[&one, &two]).await.unwrap();
    assert_eq!(subject.get("a").await.unwrap().len(), 2 * MIN);
}

async fn are_given_up(subject: &Subject) {
    let upload = Upload::begin(subject, "a").await;
    let one = upload.part(1, body(1, 10)).await;
    let list = subject.client.list_multipart_uploads().bucket(&subject.bucket);
    let open = list.prefix(&subject.prefix).send().await.unwrap();
    let open: Vec<_> =
        open.uploads().iter().map(|u| (u.key().unwrap(), u.upload_id().unwrap())).collect();
    assert_eq!(open, [(upload.key.as_str(), upload.id.as_str())]);
    let abort = || {
        let abort = subject.client.abort_multipart_upload().bucket(&subject.bucket);
        abort.key(&upload.key).upload_id(&upload.id)
    };
    abort().send().await.unwrap();
    // AWS says that again as if it were new.
    assert!(matches!(status(&abort().send().await), 200 | 404));
    assert_eq!(upload.complete(&[&one]).await.unwrap_err(), "NoSuchUpload");
    let part = subject.client.upload_part().bucket(&subject.bucket).key(&upload.key);
    let late = part.upload_id(&upload.id).part_number(1).body(ByteStream::from_static(b"x"));
    assert_eq!(code(&late.send().await), Some("NoSuchUpload"));
    assert_eq!(subject.get("a").await, None);
}

async fn are_copied_from_objects(subject: &Subject) {
    // Not every server has this call.
    if !subject.local {
        return;
    }
    let whole: Vec<u8> =
        (0..6_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    subject.put("from", &whole).await;
    let upload = Upload::begin(subject, "to").await;
    let mut parts = Vec::new();
    for (number, range) in [(1, "bytes=0-5499999"), (2, "bytes=5500000-5999999")] {
        let copy = subject.client.upload_part_copy().bucket(&subject.bucket).key(&upload.key);
        let from = format!("{}/{}", subject.bucket, subject.key("from"));
        let copy = copy.copy_source(from).copy_source_range(range).upload_id(&upload.id);
        let copied = copy.part_number(number).send().await.unwrap();
        let tag = copied.copy_part_result.unwrap().e_tag.unwrap();
        parts.push(CompletedPart::builder().part_number(number).e_tag(tag).build());
    }
    upload.complete(&parts.iter().collect::<Vec<_>>()).await.unwrap();
    assert!(subject.get("to").await.unwrap() == whole);
}

contract!(are_checked_and_put_together, are_not_too_small, are_given_up, are_copied_from_objects,);
