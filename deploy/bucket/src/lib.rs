//! The local bucket: the operations of S3 over one folder, for files that people want to keep.
//!
//! An object is a plain file at `<root>/<bucket>/<key>`. What is ours alone lies beside the bucket, in
//! `<root>/.reelpin`: drafts, uploads in parts, the CORS rules. An object is written as a draft, hashed
//! on the way, compared with what the request promised, synced, and only then given its name by
//! `rename`, so that a name always stands for a whole object; the answer follows once the name is
//! synced too. What is known of an object besides its bytes (`record`) is an attribute of the file
//! itself, and lives and dies with it.
//!
//! `key` says which keys there are, `store` where they lie, `draft` and `commit` how an object comes to
//! be, `open` and `send` how it is read, `walk` and `page` how it is listed, `upload`, `assembly` and
//! `complete` how it is put together from parts; `s3/` answers requests with these.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod assembly;
mod commit;
mod complete;
mod condition;
mod cors;
mod digest;
mod draft;
mod fault;
mod keep;
mod key;
mod open;
mod page;
mod receive;
mod record;
mod s3;
mod send;
mod store;
mod sweep;
mod upload;
mod walk;

pub use s3::Bucket;
pub use store::OpenError;
