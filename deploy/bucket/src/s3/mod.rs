//! S3's operations over the folder: each request taken apart here, and answered in S3's words.
mod copy;
mod delete;
mod list;
mod parts;
mod put;
mod read;
mod rules;
mod uploads;

use std::path::Path;
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use crate::fault::blocking;
use crate::store::{OpenError, Store};

/// One bucket in a folder, to be given to `s3s`'s service builder. A clone is the same bucket.
#[derive(Clone, Debug)]
pub struct Bucket(pub(crate) Arc<Store>);

impl Bucket {
    /// Opens the bucket `name` in the folder `root`, which exists; makes what is missing below it and
    /// removes what a crash left there. Only one process at a time may do this: it is for the caller
    /// to see to that.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn open(root: &Path, name: &str) -> Result<Self, OpenError> {
        Ok(Self(Arc::new(Store::open(root, name)?)))
    }

    /// Whether the bucket's own CORS rules (`PutBucketCors`) let pages of `origin` send `method`.
    pub fn allows(&self, origin: &str, method: &str) -> bool {
        let rules = self.0.cors.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        crate::cors::allows(&rules, origin, method)
    }

    /// The store, for a request that names this bucket.
    fn store(&self, name: &str) -> S3Result<Arc<Store>> {
        if name == self.0.name { Ok(Arc::clone(&self.0)) } else { Err(s3_error!(NoSuchBucket)) }
    }
}

/// An ETag as S3 shows it.
fn etag(value: &str) -> Option<ETag> {
    Some(ETag::Strong(value.to_owned()))
}

/// A number of bytes as S3's types have it.
fn signed(size: u64) -> Option<i64> {
    i64::try_from(size).ok()
}

type Answer<T> = S3Result<S3Response<T>>;

#[async_trait::async_trait]
impl S3 for Bucket {
    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        let store = self.store(&req.input.bucket)?;
        blocking(move || store.present()).await?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> Answer<GetBucketLocationOutput> {
        self.store(&req.input.bucket)?;
        Ok(S3Response::new(GetBucketLocationOutput::default()))
    }

    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
        match self.store(&req.input.bucket) {
            Ok(_) => Err(s3_error!(BucketAlreadyOwnedByYou)),
            Err(_) => Err(s3_error!(AccessDenied, "there is one bucket only")),
        }
    }

    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
        let bucket = s3s::dto::Bucket { name: Some(self.0.name.clone()), ..Default::default() };
        let output = ListBucketsOutput { buckets: Some(vec![bucket]), ..Default::default() };
        Ok(S3Response::new(output))
    }

    async fn get_bucket_cors(
        &self,
        req: S3Request<GetBucketCorsInput>,
    ) -> Answer<GetBucketCorsOutput> {
        rules::get(&*self.store(&req.input.bucket)?)
    }

    async fn put_bucket_cors(
        &self,
        req: S3Request<PutBucketCorsInput>,
    ) -> Answer<PutBucketCorsOutput> {
        let rules = req.input.cors_configuration.cors_rules;
        rules::put(self.store(&req.input.bucket)?, rules).await?;
        Ok(S3Response::new(PutBucketCorsOutput::default()))
    }

    async fn delete_bucket_cors(
        &self,
        req: S3Request<DeleteBucketCorsInput>,
    ) -> Answer<DeleteBucketCorsOutput> {
        rules::put(self.store(&req.input.bucket)?, Vec::new()).await?;
        Ok(S3Response::new(DeleteBucketCorsOutput::default()))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        put::put(self.store(&req.input.bucket)?, req).await
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        read::get(self.store(&req.input.bucket)?, req.input).await
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        read::head(self.store(&req.input.bucket)?, req.input).await
    }

    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        copy::copy(self.store(&req.input.bucket)?, req.input).await
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
        delete::one(self.store(&req.input.bucket)?, req.input).await
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> Answer<DeleteObjectsOutput> {
        delete::many(self.store(&req.input.bucket)?, req.input.delete).await
    }

    async fn list_objects(&self, req: S3Request<ListObjectsInput>) -> Answer<ListObjectsOutput> {
        list::first(self.store(&req.input.bucket)?, req.input).await
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> Answer<ListObjectsV2Output> {
        list::second(self.store(&req.input.bucket)?, req.input).await
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        uploads::create(self.store(&req.input.bucket)?, req.input).await
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        parts::put(self.store(&req.input.bucket)?, req).await
    }

    async fn upload_part_copy(
        &self,
        req: S3Request<UploadPartCopyInput>,
    ) -> Answer<UploadPartCopyOutput> {
        parts::copy(self.store(&req.input.bucket)?, req.input).await
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        parts::list(self.store(&req.input.bucket)?, req.input).await
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        uploads::complete(self.store(&req.input.bucket)?, req.input).await
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        uploads::abort(self.store(&req.input.bucket)?, req.input).await
    }

    async fn list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> Answer<ListMultipartUploadsOutput> {
        uploads::list(self.store(&req.input.bucket)?, req.input).await
    }
}
