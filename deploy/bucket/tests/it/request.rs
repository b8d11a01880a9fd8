//! Requests as `s3s` hands them over.
use bytes::Bytes;
use s3s::dto::*;
use s3s::{Body, S3, S3Request, S3Result};

use reelpin_bucket::Bucket;

pub(crate) const NAME: &str = "reelpin";

pub(crate) fn request<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: Default::default(),
        uri: Default::default(),
        headers: Default::default(),
        extensions: Default::default(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}

pub(crate) async fn put(bucket: &Bucket, key: &str, body: Vec<u8>) -> S3Result<String> {
    let input = PutObjectInput {
        bucket: NAME.to_owned(),
        key: key.to_owned(),
        content_type: Some("video/mp4".to_owned()),
        body: Some(StreamingBlob::from(Body::from(Bytes::from(body)))),
        ..Default::default()
    };
    let put = bucket.put_object(request(input)).await?;
    Ok(put.output.e_tag.unwrap().into_value())
}

pub(crate) async fn head(bucket: &Bucket, key: &str) -> S3Result<HeadObjectOutput> {
    let input =
        HeadObjectInput { bucket: NAME.to_owned(), key: key.to_owned(), ..Default::default() };
    Ok(bucket.head_object(request(input)).await?.output)
}

/// An upload in two parts, completed.
pub(crate) async fn put_in_parts(
    bucket: &Bucket,
    key: &str,
    parts: [Vec<u8>; 2],
) -> S3Result<String> {
    let (name, key) = (NAME.to_owned(), key.to_owned());
    let input =
        CreateMultipartUploadInput { bucket: name.clone(), key: key.clone(), ..Default::default() };
    let created = bucket.create_multipart_upload(request(input)).await?.output;
    let upload_id = created.upload_id.unwrap();
    let mut stored = Vec::new();
    for (part_number, body) in (1..).zip(parts) {
        let input = UploadPartInput {
            bucket: name.clone(),
            key: key.clone(),
            upload_id: upload_id.clone(),
            part_number,
            body: Some(StreamingBlob::from(Body::from(Bytes::from(body)))),
            ..Default::default()
        };
        let e_tag = bucket.upload_part(request(input)).await?.output.e_tag;
        stored.push(CompletedPart { part_number: Some(part_number), e_tag, ..Default::default() });
    }
    let input = CompleteMultipartUploadInput {
        bucket: name,
        key,
        upload_id,
        multipart_upload: Some(CompletedMultipartUpload { parts: Some(stored) }),
        ..Default::default()
    };
    let completed = bucket.complete_multipart_upload(request(input)).await?;
    Ok(completed.output.e_tag.unwrap().into_value())
}
